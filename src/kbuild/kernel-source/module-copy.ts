import type { Stats } from 'node:fs';
import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { isErrno, KhError } from '../../core/errors';
import { builtFiles } from './built-files';

/** The list of what was copied, in the copy. */
const LIST = '.kh-copied';

/**
 * Brings a copy of a module's folder up to date, for the kernel's own build:
 * until 6.12 that writes its objects beside the sources, and a module's folder
 * is not to be written to.
 *
 * Files keep their times, so that what did not change is not built again. What
 * builds left in the folder stays behind. Since Makefiles and sources name what
 * lies beside the folder (`../common/x.h`), the copy gets links to that beside
 * itself.
 *
 * @param source the module's folder
 * @param copy the last folder of it must be alone in the one above
 * @throws KhError BUILD_BAD_PATH for objects above the folder, which would be made there
 */
export async function copyModule(source: string, copy: string, signal: AbortSignal): Promise<void> {
  await refuseObjectsAbove(source);
  const before = await listed(copy);
  const wanted = await sourceFiles(source, '', [], signal);
  await mkdir(copy, { recursive: true });
  for (const path of before) {
    if (!wanted.includes(path)) await rm(join(copy, path), { force: true });
  }
  for (const path of wanted) await copyIfOther(join(source, path), join(copy, path));
  await writeFile(join(copy, LIST), wanted.map((path) => `${path}\n`).join(''));
  await linkNeighbours(source, copy);
}

/** By path from `source`. Links are followed, but for those that lead in circles or nowhere. */
async function sourceFiles(
  source: string,
  at: string,
  above: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  signal.throwIfAborted();
  const names = await readdir(join(source, at));
  const built = builtFiles(names);
  const here = [...above, await realpath(join(source, at))];
  const found: string[] = [];
  for (const name of names) {
    if (built.has(name) || name === '.git') continue;
    const path = join(at, name);
    const kind = await statIfThere(join(source, path));
    if (kind?.isFile()) found.push(path);
    else if (kind?.isDirectory() && !here.includes(await realpath(join(source, path))))
      found.push(...(await sourceFiles(source, path, here, signal)));
  }
  return found;
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP')) return undefined;
    throw error;
  }
}

async function copyIfOther(from: string, to: string): Promise<void> {
  const [own, present] = [await stat(from), await statIfThere(to)];
  // A copy's time has no more than microseconds.
  if (present?.size === own.size && Math.abs(present.mtimeMs - own.mtimeMs) < 0.01) return;
  await mkdir(dirname(to), { recursive: true });
  await rm(to, { force: true, recursive: true });
  await copyFile(from, to);
  await utimes(to, own.atime, own.mtimeMs / 1000);
}

/** Links, beside the copy, to all that is beside the source. */
async function linkNeighbours(source: string, copy: string): Promise<void> {
  const [from, to] = [dirname(source), dirname(copy)];
  const names = await readdir(from).catch((error: unknown) => {
    if (isErrno(error, 'EACCES')) return [];
    throw error;
  });
  const wanted = new Map(names.map((name) => [name, join(from, name)]));
  wanted.delete(relative(from, source));
  for (const name of await readdir(to)) {
    if (name === relative(to, copy)) continue;
    const target = await readlink(join(to, name));
    if (wanted.get(name) === target) wanted.delete(name);
    else await rm(join(to, name));
  }
  for (const [name, target] of wanted) {
    if (name !== relative(to, copy)) await symlink(target, join(to, name));
  }
}

/** `obj-m := x.o` with `x-y := ../common/y.o` makes y.o in ../common, where others keep their sources. */
async function refuseObjectsAbove(source: string): Promise<void> {
  for (const name of ['Kbuild', 'Makefile']) {
    const text = await readFile(join(source, name), 'utf8').catch(() => '');
    const above = /(?:^|[\s=])(\.\.\/\S+\.o)\b/m.exec(text)?.[1];
    if (above === undefined) continue;
    throw new KhError('BUILD_BAD_PATH', {
      message: `${join(source, name)} names ${above}: the kernel's own build would make it outside of the module's folder`,
      hint: 'Build the folder above, or leave out --kernel-source.',
      details: { path: source, object: above },
    });
  }
}

async function listed(copy: string): Promise<string[]> {
  const text = await readFile(join(copy, LIST), 'utf8').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  });
  return text.split('\n').filter((path) => path !== '');
}

/**
 * The files of KBUILD_EXTRA_SYMBOLS that the kernel's modpost was last given:
 * the record of its command names them behind `-i`.
 */
export async function extraSymbolFiles(copy: string, kdirPath: string): Promise<string[]> {
  const record = await readFile(join(copy, '.Module.symvers.cmd'), 'utf8').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  });
  const named = Array.from(record.matchAll(/ -i (\S+)/g), ([, path = '']) => resolve(kdirPath, path));
  return named.filter((path) => path !== join(kdirPath, 'Module.symvers'));
}
