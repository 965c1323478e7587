import { SHF, SHN, SHT } from './constants';
import type { ElfFile, ElfSymbol } from './elf-file';

/** A section that an object is to get. Offsets and sizes are in bytes. */
export interface NewSection {
  name: string;
  data: Buffer;
  flags: number;
  addralign: number;
  relocations: { offset: number; type: number; symbol: ElfSymbol; addend: number }[];
}

const SECTION_HEADER_SIZE = 64;
const RELA_SIZE = 24;

/**
 * An object with one section more, and that section's relocations in another.
 * All that was there stays where it is: the new parts follow it, with the
 * names and the headers of all sections written again.
 *
 * @param bytes the object that `elf` was read from
 * @see System V ABI, chapter 4 (elf.h: Elf64_Ehdr, Elf64_Shdr, Elf64_Rela)
 */
export function addSection(bytes: Buffer, elf: ElfFile, section: NewSection): Buffer {
  const headers = sectionHeaders(bytes);
  const namesIndex = sectionNamesIndex(bytes, headers);
  const index = headers.length;
  const oldNames = elf.sections[namesIndex - 1]?.data() ?? Buffer.alloc(1);
  const relaName = oldNames.length;
  const names = Buffer.concat([oldNames, Buffer.from(`.rela${section.name}\0`, 'latin1')]);

  const file = new Appended(bytes);
  const data = file.append(section.data, section.addralign);
  const rela = file.append(relaEntries(section), 8);
  rewrite(headers[namesIndex], file.append(names, 1));
  headers.push(
    header({
      // One name ends the other.
      name: relaName + '.rela'.length,
      type: SHT.PROGBITS,
      flags: section.flags,
      ...data,
      addralign: section.addralign,
    }),
    header({
      name: relaName,
      type: SHT.RELA,
      flags: SHF.INFO_LINK,
      ...rela,
      link: elf.sections.find(({ type }) => type === SHT.SYMTAB)?.index ?? 0,
      info: index,
      addralign: 8,
      entsize: RELA_SIZE,
    }),
  );
  return file.finish(headers);
}

function sectionHeaders(bytes: Buffer): Buffer[] {
  const start = Number(bytes.readBigUInt64LE(40));
  const count = bytes.readUInt16LE(60) || Number(bytes.readBigUInt64LE(start + 32));
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * SECTION_HEADER_SIZE;
    return Buffer.from(bytes.subarray(at, at + SECTION_HEADER_SIZE));
  });
}

function sectionNamesIndex(bytes: Buffer, [first]: Buffer[]): number {
  const field = bytes.readUInt16LE(62);
  return field === SHN.XINDEX ? (first?.readUInt32LE(40) ?? 0) : field;
}

function relaEntries({ relocations }: NewSection): Buffer {
  const entries = Buffer.alloc(relocations.length * RELA_SIZE);
  for (const [index, { offset, type, symbol, addend }] of relocations.entries()) {
    const at = index * RELA_SIZE;
    entries.writeBigUInt64LE(BigInt(offset), at);
    entries.writeUInt32LE(type, at + 8);
    entries.writeUInt32LE(symbol.index, at + 12);
    entries.writeBigInt64LE(BigInt(addend), at + 16);
  }
  return entries;
}

interface Place {
  offset: number;
  size: number;
}

interface HeaderFields extends Place {
  name: number;
  type: number;
  flags: number;
  addralign: number;
  link?: number;
  info?: number;
  entsize?: number;
}

function header(fields: HeaderFields): Buffer {
  const { name, type, flags, link = 0, info = 0, addralign, entsize = 0 } = fields;
  const bytes = Buffer.alloc(SECTION_HEADER_SIZE);
  bytes.writeUInt32LE(name, 0);
  bytes.writeUInt32LE(type, 4);
  bytes.writeBigUInt64LE(BigInt(flags), 8);
  rewrite(bytes, fields);
  bytes.writeUInt32LE(link, 40);
  bytes.writeUInt32LE(info, 44);
  bytes.writeBigUInt64LE(BigInt(addralign), 48);
  bytes.writeBigUInt64LE(BigInt(entsize), 56);
  return bytes;
}

/** Says in a header where its section is. */
function rewrite(sectionHeader: Buffer | undefined, { offset, size }: Place): void {
  sectionHeader?.writeBigUInt64LE(BigInt(offset), 24);
  sectionHeader?.writeBigUInt64LE(BigInt(size), 32);
}

/** A file with parts behind its end. */
class Appended {
  private readonly parts: Buffer[];
  private size: number;

  constructor(bytes: Buffer) {
    this.parts = [Buffer.from(bytes)];
    this.size = bytes.length;
  }

  append(part: Buffer, alignment: number): Place {
    const padding = (alignment - (this.size % alignment)) % alignment;
    this.parts.push(Buffer.alloc(padding), part);
    const place = { offset: this.size + padding, size: part.length };
    this.size = place.offset + place.size;
    return place;
  }

  /** The file with these section headers; from 0xff00 on, the first of them has their number. */
  finish(headers: Buffer[]): Buffer {
    const fits = headers.length < SHN.LORESERVE;
    headers[0]?.writeBigUInt64LE(BigInt(fits ? 0 : headers.length), 32);
    const { offset } = this.append(Buffer.concat(headers), 8);
    this.parts[0]?.writeBigUInt64LE(BigInt(offset), 40);
    this.parts[0]?.writeUInt16LE(fits ? headers.length : 0, 60);
    return Buffer.concat(this.parts);
  }
}
