import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { isNativeError } from 'node:util/types';
import { KhError } from '../core/errors';
import { isModuleName, moduleNameOf } from '../device/loaded-modules';
import { readElf } from '../kbuild/elf/elf-file';

/** A module on this machine. */
export interface ModuleFile {
  /** As the user named it. */
  name: string;
  bytes: Buffer;
}

/** No module is larger: the largest drivers have 100 MB with their debug information. */
const LARGEST = 2 ** 30;

/** @throws KhError USAGE when it cannot be read */
export async function readModuleFile(path: string): Promise<ModuleFile> {
  try {
    const { size } = await stat(path);
    if (size > LARGEST) throw new KhError('USAGE', { message: `${path} is larger than any module` });
    return { name: path, bytes: await readFile(path) };
  } catch (cause) {
    if (cause instanceof KhError || !isNativeError(cause)) throw cause;
    throw new KhError('USAGE', {
      message: `${path} cannot be read: ${cause.message}`,
      details: { path },
      cause,
    });
  }
}

/** What a module says of itself. */
export interface ModuleInfo {
  /** Under which the kernel will know it. */
  module: string;
  /** The modules that must be loaded before it. */
  depends: string[];
  /** The release of the kernel that it was built for; empty where it does not say. */
  release: string;
}

/**
 * Reads the section .modinfo: `key=value` strings, each ended by NUL. Modules
 * carry their names since 4.16; before, the file's name is the module's.
 *
 * @throws KhError BUILD_BAD_OBJECT where the file is no module
 */
export function moduleInfo({ name, bytes }: ModuleFile): ModuleInfo {
  const section = readElf(bytes, name).section('.modinfo');
  if (section === undefined) {
    throw new KhError('BUILD_BAD_OBJECT', {
      message: `${name} is no kernel module: it has no section .modinfo`,
      hint: 'A module is the .ko that the build ends with, not one of the objects it is made of.',
      details: { path: name },
    });
  }
  const entries = section.data().toString('latin1').split('\0');
  const value = (key: string) =>
    entries.find((entry) => entry.startsWith(`${key}=`))?.slice(key.length + 1) ?? '';
  const module = value('name') || moduleNameOf(basename(name));
  if (!isModuleName(module)) {
    throw new KhError('BUILD_BAD_OBJECT', { message: `${name} calls itself ${module}, which no module can` });
  }
  return {
    module,
    depends: value('depends').split(',').map(moduleNameOf).filter(isModuleName),
    release: value('vermagic').split(' ', 1)[0] ?? '',
  };
}
