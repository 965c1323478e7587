import type { ElfFile } from '../elf/elf-file';

/** A struct modversion_info: an unsigned long, then the name. */
const ENTRY_SIZE = 64;

/**
 * The CRCs that a module was built against, by symbol; undefined when it
 * carries none. Where the extended tables are there, the kernel reads those.
 *
 * @see kernel/module/version.c
 */
export function readModuleVersions(elf: ElfFile): ReadonlyMap<string, number> | undefined {
  const [crcs, names] = [elf.section('__version_ext_crcs'), elf.section('__version_ext_names')];
  if (crcs !== undefined && names !== undefined) {
    const list = names.data().toString('latin1').split('\0');
    const numbers = crcs.data();
    return new Map(
      Array.from({ length: Math.floor(numbers.length / 4) }, (_, index) => [
        list[index] ?? '',
        numbers.readUInt32LE(4 * index),
      ]),
    );
  }
  const table = elf.section('__versions')?.data();
  if (table === undefined) return undefined;
  const versions = new Map<string, number>();
  for (let at = 0; at + ENTRY_SIZE <= table.length; at += ENTRY_SIZE) {
    const name = table.toString('latin1', at + 8, at + ENTRY_SIZE);
    versions.set(name.slice(0, name.indexOf('\0')), table.readUInt32LE(at));
  }
  return versions;
}
