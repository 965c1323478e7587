import type { ByteSource } from '../../core/byte-source';
import { ET_REL, SHT } from './constants';

/** A symbol's place in the file. */
export interface SymbolPlace {
  name: string;
  offset: number;
}

/** Symbol tables of kernels have 5 MB, and as much for the names. */
const LARGEST_TABLE = 128 << 20;
const HEADER = 64;
const SECTION = 64;
const SYMBOL = 24;

interface Section {
  type: number;
  addr: bigint;
  offset: number;
  size: number;
  link: number;
}

/**
 * Where symbols of a module or a vmlinux lie in the file, of which only the
 * tables are read: with debug information it may have a gigabyte.
 *
 * @returns in the order of the symbol table; nothing where the file is no whole 64-bit little-endian ELF file
 * @throws what `source.read` throws
 * @see System V ABI, chapter 4 (elf.h: Elf64_Ehdr, Elf64_Shdr, Elf64_Sym)
 */
export async function findSymbols(source: ByteSource, names: readonly string[]): Promise<SymbolPlace[]> {
  if (source.size < HEADER) return [];
  const header = await source.read(0, HEADER);
  if (header.readUInt32BE(0) !== 0x7f454c46 || header.readUInt16BE(4) !== 0x0201) return [];
  const sections = await readSections(source, header);
  const table = sections.find(({ type }) => type === SHT.SYMTAB);
  const strings = table && sections[table.link];
  if (!table || !strings || !isThere(source, table) || !isThere(source, strings)) return [];
  const wanted = offsetsOf(names, await source.read(strings.offset, strings.size));
  const symbols = await source.read(table.offset, table.size - (table.size % SYMBOL));
  const places: SymbolPlace[] = [];
  for (let at = 0; at < symbols.length; at += SYMBOL) {
    const name = wanted.get(symbols.readUInt32LE(at));
    const section = sections[symbols.readUInt16LE(at + 6)];
    if (name === undefined || section === undefined) continue;
    // In a linked file a symbol's value is an address, in a relocatable one it counts from its section.
    const start = header.readUInt16LE(16) === ET_REL ? 0n : section.addr;
    const within = Number(symbols.readBigUInt64LE(at + 8) - start);
    if (within >= 0 && within <= section.size) places.push({ name, offset: section.offset + within });
  }
  return places;
}

async function readSections(source: ByteSource, header: Buffer): Promise<Section[]> {
  const start = Number(header.readBigUInt64LE(40));
  const count = header.readUInt16LE(60);
  if (header.readUInt16LE(58) !== SECTION || start + count * SECTION > source.size) return [];
  const table = await source.read(start, count * SECTION);
  return Array.from({ length: count }, (_, index) => {
    const at = index * SECTION;
    return {
      type: table.readUInt32LE(at + 4),
      addr: table.readBigUInt64LE(at + 16),
      offset: Number(table.readBigUInt64LE(at + 24)),
      size: Number(table.readBigUInt64LE(at + 32)),
      link: table.readUInt32LE(at + 40),
    };
  });
}

function isThere(source: ByteSource, { offset, size }: Section): boolean {
  return size <= LARGEST_TABLE && offset + size <= source.size;
}

/** By offset in the string table, the names that are looked for. A name may be the end of another. */
function offsetsOf(names: readonly string[], strings: Buffer): Map<number, string> {
  const found = new Map<number, string>();
  for (const name of names) {
    const bytes = Buffer.from(`${name}\0`, 'latin1');
    for (let at = strings.indexOf(bytes); at !== -1; at = strings.indexOf(bytes, at + 1)) found.set(at, name);
  }
  return found;
}
