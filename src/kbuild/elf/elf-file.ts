import { badObject, ByteReader } from './byte-reader';
import { SHN, SHT } from './constants';

/** One section. Offsets, sizes and alignments are in bytes. */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** Rounded above 2^53, where only linked kernels have addresses; 0 in relocatable objects. */
  readonly addr: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly addralign: number;
  readonly entsize: number;
  /** Its bytes in the file: a view, not a copy. Empty for SHT_NOBITS. */
  data(): Buffer;
}

/** One symbol, without the empty one that starts each table. */
export interface ElfSymbol {
  /** Its index in the symbol table, as relocations name it. */
  readonly index: number;
  readonly name: string;
  /** In relocatable objects an offset into `section`; rounded above 2^53. */
  readonly value: number;
  readonly size: number;
  readonly bind: number;
  readonly type: number;
  /** As in the file: SHN.UNDEF, SHN.ABS, SHN.COMMON, or the index of `section`. */
  readonly shndx: number;
  /** Where it is defined; undefined for an undefined, absolute or common symbol. */
  readonly section: ElfSection | undefined;
}

export interface ElfRelocation {
  /** Where in the file its entry starts, in bytes. */
  readonly entry: number;
  /** In bytes from the start of the section that it changes. */
  readonly offset: number;
  /** As the psABI of the machine numbers it. */
  readonly type: number;
  readonly addend: number;
  /** Undefined for symbol 0: a relocation without one. */
  readonly symbol: ElfSymbol | undefined;
}

/** An ELF64 little-endian file. */
export interface ElfFile {
  /** For messages. */
  readonly path: string;
  /** ET_REL for an object or a module. */
  readonly type: number;
  readonly machine: number;
  /** Without the empty one at index 0. */
  readonly sections: readonly ElfSection[];
  /** Of the first symbol table; empty where there is none. */
  readonly symbols: readonly ElfSymbol[];
  /** The first section of that name. */
  section(name: string): ElfSection | undefined;
  /** What is to be changed in `section`, from every SHT_RELA section that speaks of it. */
  relocations(section: ElfSection): ElfRelocation[];
}

const HEADER_SIZE = 64;
const SECTION_HEADER_SIZE = 64;
const SYMBOL_SIZE = 24;
const RELA_SIZE = 24;

/**
 * Reads an ELF64 little-endian file: a relocatable object, a module or a
 * linked kernel. Every offset, size, index and string is checked against the
 * file before it is used; relocations are checked when they are asked for.
 *
 * @param path names the file in messages
 * @throws KhError BUILD_BAD_OBJECT
 * @see System V ABI, chapter 4 (elf.h: Elf64_Ehdr, Elf64_Shdr, Elf64_Sym, Elf64_Rela)
 */
export function readElf(bytes: Buffer, path: string): ElfFile {
  const reader = new ByteReader(bytes, path);
  if (bytes.length < HEADER_SIZE || bytes.readUInt32BE(0) !== 0x7f454c46) {
    throw badObject(path, 'is no ELF file');
  }
  if (reader.u8(4) !== 2 || reader.u8(5) !== 1) {
    throw badObject(path, 'is no 64-bit little-endian ELF file');
  }
  const table = readSections(reader);
  const symbols = readSymbols(reader, table);
  return {
    path,
    type: reader.u16(16),
    machine: reader.u16(18),
    sections: table.slice(1),
    symbols,
    section: (name) => table.find((section, index) => index > 0 && section.name === name),
    relocations: (section) =>
      table
        .filter(({ type, info }) => type === SHT.RELA && info === section.index)
        .flatMap((rela) => readRelocations(reader, rela, section, symbols)),
  };
}

/** @returns every section header, the empty one at index 0 included */
function readSections(reader: ByteReader): ElfSection[] {
  const start = reader.u64(40);
  if (start === 0) return [];
  if (reader.u16(58) !== SECTION_HEADER_SIZE) reader.fail(`has section headers of ${reader.u16(58)} bytes`);
  // Files with 0xff00 sections and more keep these two numbers in the empty header.
  const count = reader.u16(60) || reader.u64(start + 32);
  reader.need(start, count * SECTION_HEADER_SIZE, 'its section headers');
  const namesField = reader.u16(62);
  const namesIndex = namesField === SHN.XINDEX ? reader.u32(start + 40) : namesField;
  const headers = Array.from({ length: count }, (_, index) =>
    readSection(reader, start + index * SECTION_HEADER_SIZE, index),
  );
  const names = headers[namesIndex];
  if (names?.type !== SHT.STRTAB) reader.fail('has no table of section names');
  return headers.map(({ nameOffset, ...section }) => ({
    ...section,
    name: section.index === 0 ? '' : reader.string(names, nameOffset),
  }));
}

function readSection(reader: ByteReader, at: number, index: number) {
  const section = {
    index,
    nameOffset: reader.u32(at),
    type: reader.u32(at + 4),
    flags: reader.u64(at + 8),
    addr: reader.u64(at + 16),
    offset: reader.u64(at + 24),
    size: reader.u64(at + 32),
    link: reader.u32(at + 40),
    info: reader.u32(at + 44),
    addralign: reader.u64(at + 48),
    entsize: reader.u64(at + 56),
  };
  const inFile = section.type !== SHT.NULL && section.type !== SHT.NOBITS;
  if (inFile) reader.need(section.offset, section.size, `its section ${index}`);
  const data = () => (inFile ? reader.view(section.offset, section.size) : Buffer.alloc(0));
  return { ...section, data };
}

function readSymbols(reader: ByteReader, table: ElfSection[]): ElfSymbol[] {
  const section = table.find(({ type }) => type === SHT.SYMTAB);
  if (section === undefined) return [];
  const names = table[section.link];
  if (names?.type !== SHT.STRTAB) reader.fail('has a symbol table without names');
  const wide = table.find(({ type, link }) => type === SHT.SYMTAB_SHNDX && link === section.index);
  const symbols: ElfSymbol[] = [];
  const count = entryCount(reader, section, SYMBOL_SIZE);
  for (let index = 1; index < count; index++) {
    const at = section.offset + index * SYMBOL_SIZE;
    const info = reader.u8(at + 4);
    const field = reader.u16(at + 6);
    if (field === SHN.XINDEX && (wide === undefined || wide.size < 4 * (index + 1))) {
      reader.fail(`does not say in which section symbol ${index} is`);
    }
    const shndx = field === SHN.XINDEX && wide !== undefined ? reader.u32(wide.offset + 4 * index) : field;
    const isReserved = field !== SHN.XINDEX && field >= SHN.LORESERVE;
    const home = shndx === SHN.UNDEF || isReserved ? undefined : table[shndx];
    if (shndx !== SHN.UNDEF && !isReserved && home === undefined) {
      reader.fail(`has symbol ${index} in section ${shndx}, which does not exist`);
    }
    symbols.push({
      index,
      name: reader.string(names, reader.u32(at)),
      value: reader.u64(at + 8),
      size: reader.u64(at + 16),
      bind: info >> 4,
      type: info & 15,
      shndx,
      section: home,
    });
  }
  return symbols;
}

function readRelocations(
  reader: ByteReader,
  rela: ElfSection,
  target: ElfSection,
  symbols: ElfSymbol[],
): ElfRelocation[] {
  return Array.from({ length: entryCount(reader, rela, RELA_SIZE) }, (_, index) => {
    const at = rela.offset + index * RELA_SIZE;
    const offset = reader.u64(at);
    const symbolIndex = reader.u32(at + 12);
    if (offset >= target.size) reader.fail(`has a relocation beyond the end of section ${target.name}`);
    if (symbolIndex > symbols.length) {
      reader.fail(`has a relocation for symbol ${symbolIndex}, which does not exist`);
    }
    return {
      entry: at,
      offset,
      type: reader.u32(at + 8),
      addend: reader.s64(at + 16),
      symbol: symbolIndex === 0 ? undefined : symbols[symbolIndex - 1],
    };
  });
}

function entryCount(reader: ByteReader, section: ElfSection, entrySize: number): number {
  if (section.entsize !== entrySize || section.size % entrySize !== 0) {
    reader.fail(`has a section ${section.name} that is no list of ${entrySize}-byte entries`);
  }
  return section.size / entrySize;
}
