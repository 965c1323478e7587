import { posix } from 'node:path';
import { SHN, STB } from '../elf/constants';
import { readElf, type ElfFile, type ElfSymbol } from '../elf/elf-file';
import { readExports, type Exports } from './exports';
import { readModInfo, type ModInfo } from './modinfo';

/** A module before its last link: one object, compiled or linked of several. */
export interface ModuleObject {
  /** As make named it. */
  path: string;
  /** The file's name without `.o`, which the `.ko` and its users' `depends` have too. */
  name: string;
  bytes: Buffer;
  elf: ElfFile;
  modinfo: ModInfo;
  /** What the kernel or another module must provide; weak ones may stay missing. */
  imports: ElfSymbol[];
  exported: Exports;
  /** True when it defines that global symbol. */
  defines(name: string): boolean;
}

/** What the module's generated part and the linker provide. */
const OWN_NAMES = new Set(['__this_module', '_GLOBAL_OFFSET_TABLE_']);

/**
 * Reads a module's object.
 *
 * @param path the object's, ending in `.o`
 * @throws KhError BUILD_BAD_OBJECT
 */
export function readModuleObject(bytes: Buffer, path: string): ModuleObject {
  const elf = readElf(bytes, path);
  const outside = elf.symbols.filter(({ bind }) => bind !== STB.LOCAL);
  const defined = new Set(outside.filter(({ shndx }) => shndx !== SHN.UNDEF).map(({ name }) => name));
  return {
    path,
    name: posix.basename(path).replace(/\.o$/, ''),
    bytes,
    elf,
    modinfo: readModInfo(elf),
    imports: outside.filter(({ shndx, name }) => shndx === SHN.UNDEF && isImport(name)),
    exported: readExports(elf),
    defines: (name) => defined.has(name),
  };
}

/** `__crc_X` is a place that the generated part fills for an export of the module's own. */
function isImport(name: string): boolean {
  return !OWN_NAMES.has(name) && !name.startsWith('__crc_');
}
