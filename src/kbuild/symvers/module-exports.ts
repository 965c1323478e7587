import { badObject } from '../elf/byte-reader';
import { SHN } from '../elf/constants';
import { readElf, type ElfFile, type ElfRelocation, type ElfSection } from '../elf/elf-file';
import type { SymversEntry } from './symvers-file';

/** What a built module tells of exported symbols. */
export interface ModuleSymbols {
  /** The module's name: its file's without the suffix. */
  name: string;
  /** What it exports itself. */
  exports: SymversEntry[];
  /** What it imports, `module_layout` included, with the CRCs that it was built against. */
  imports: Map<string, number>;
  /** Bytes of its `struct module`; undefined where it has none of its own. */
  thisModuleSize: number | undefined;
}

/**
 * Reads the exports and imports of a module. One built without MODVERSIONS
 * exports without CRCs and imports nothing.
 *
 * @param path names the module, and the file in messages
 * @throws KhError BUILD_BAD_OBJECT
 * @see include/linux/export-internal.h and kernel/module/version.c of the kernel
 */
export function readModuleSymbols(bytes: Buffer, path: string): ModuleSymbols {
  const elf = readElf(bytes, path);
  const name = path.replace(/^.*[/\\]/, '').replace(/\.ko$/, '');
  const exports = [
    ...readExports(elf, name, { table: '__ksymtab', crcs: '__kcrctab', gpl: false }),
    ...readExports(elf, name, { table: '__ksymtab_gpl', crcs: '__kcrctab_gpl', gpl: true }),
  ];
  const thisModuleSize = elf.section('.gnu.linkonce.this_module')?.size;
  return { name, exports, imports: readExtendedVersions(elf) ?? readVersions(elf), thisModuleSize };
}

/** Since Linux 5.4, on machines with relative references: value, name, namespace. */
const ENTRY_SIZE = 12;
const RELATIVE = [261 /* R_AARCH64_PREL32 */, 2 /* R_X86_64_PC32 */];
/** A bit in __kflagstab of kernels that have one table for all. */
const GPL_ONLY = 1;

function readExports(
  elf: ElfFile,
  module: string,
  { table, crcs, gpl }: { table: string; crcs: string; gpl: boolean },
): SymversEntry[] {
  const section = elf.section(table);
  if (section === undefined) return [];
  const count = entryCount(elf, section, ENTRY_SIZE);
  const checksums = readChecksums(elf, crcs, count);
  const flags = elf.section('__kflagstab')?.data();
  const fields = new Map(elf.relocations(section).map((relocation) => [relocation.offset, relocation]));
  return Array.from({ length: count }, (_, index) => {
    const name = textBehind(elf, fields.get(ENTRY_SIZE * index + 4));
    if (!/^[\w.$]+$/.test(name)) throw badObject(elf.path, `exports a symbol whose name is "${name}"`);
    const flagged = ((flags?.[index] ?? 0) & GPL_ONLY) !== 0;
    const namespace = textBehind(elf, fields.get(ENTRY_SIZE * index + 8));
    return { name, crc: checksums?.[index], module, gpl: gpl || flagged, namespace };
  });
}

/**
 * Since Linux 5.19 the section holds the CRCs. Before, it refers to absolute
 * symbols `__crc_…` whose values are the CRCs; one that is not defined has none.
 */
function readChecksums(elf: ElfFile, name: string, count: number): (number | undefined)[] | undefined {
  const section = elf.section(name);
  if (section === undefined) return undefined;
  if (entryCount(elf, section, 4) !== count) {
    throw badObject(elf.path, `exports ${count} symbols, but ${name} is for ${section.size / 4}`);
  }
  const data = section.data();
  const checksums = Array.from({ length: count }, (_, index) => data.readUInt32LE(4 * index) || undefined);
  for (const { offset, symbol, addend } of elf.relocations(section)) {
    if (symbol?.shndx === SHN.ABS) checksums[offset / 4] = (symbol.value + addend) >>> 0 || undefined;
  }
  return checksums;
}

/** The text that a field refers to; empty for a field without a relocation. */
function textBehind(elf: ElfFile, relocation: ElfRelocation | undefined): string {
  if (relocation === undefined) return '';
  const { type, symbol, addend } = relocation;
  if (!RELATIVE.includes(type) || symbol?.section === undefined) {
    throw badObject(elf.path, `exports a symbol through a relocation of type ${type} that kh does not know`);
  }
  const data = symbol.section.data();
  const start = symbol.value + addend;
  const end = start < 0 || start >= data.length ? -1 : data.indexOf(0, start);
  if (end < 0) throw badObject(elf.path, `exports a symbol whose name is outside of its section`);
  return data.toString('latin1', start, end);
}

const RECORD_SIZE = 64;
const NAME_OFFSET = 8;

/** `__versions`: a CRC in eight bytes, a name in 56. */
function readVersions(elf: ElfFile): Map<string, number> {
  const imports = new Map<string, number>();
  const section = elf.section('__versions');
  if (section === undefined) return imports;
  const data = section.data();
  for (let index = 0; index < entryCount(elf, section, RECORD_SIZE); index++) {
    const record = data.subarray(RECORD_SIZE * index, RECORD_SIZE * (index + 1));
    const end = record.indexOf(0, NAME_OFFSET);
    const name = record.toString('latin1', NAME_OFFSET, end < 0 ? RECORD_SIZE : end);
    imports.set(name, record.readUInt32LE(0));
  }
  return imports;
}

/** Since Linux 6.13, for names of any length; the loader then looks at nothing else. */
function readExtendedVersions(elf: ElfFile): Map<string, number> | undefined {
  const [crcs, names] = [elf.section('__version_ext_crcs'), elf.section('__version_ext_names')];
  if (crcs === undefined || names === undefined) return undefined;
  const data = crcs.data();
  const texts = names.data().toString('latin1').split('\0').slice(0, -1);
  if (entryCount(elf, crcs, 4) !== texts.length) {
    throw badObject(elf.path, `imports ${texts.length} names, but has ${data.length / 4} CRCs for them`);
  }
  return new Map(texts.map((name, index) => [name, data.readUInt32LE(4 * index)]));
}

function entryCount(elf: ElfFile, section: ElfSection, size: number): number {
  const { length } = section.data();
  if (length === section.size && length % size === 0) return length / size;
  throw badObject(
    elf.path,
    `has a section ${section.name} of ${section.size} bytes, no list of ${size}-byte entries`,
  );
}
