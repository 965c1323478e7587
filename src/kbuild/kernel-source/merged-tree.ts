import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../core/errors';
import { generatedFolders, leftByBuilds } from './built-files';
import { withoutComments, withTrueChecksum } from './headers-text';

export interface MergedTreeOptions {
  /** The kernel source. It is linked to, and never written to. */
  tree: string;
  /** The tree of the pulled archive. */
  headersPath: string;
  /** The folder to make. */
  path: string;
  /** The kernel's name for the processor: `arm64`, `x86`. */
  srcArch: string;
  signal: AbortSignal;
}

/** How the headers of the device went into the source, by their paths. */
export interface MergedHeaders {
  /** The device's, as those of the source have another content. */
  replaced: string[];
  /** The device's, as the source has none of that name. */
  added: string[];
}

/** A folder of a merged tree: what is in it, by name. A text is where a link leads. */
type Folder = Map<string, Folder | string | { text: string }>;

/**
 * Makes a source tree of links: a kernel's source, with the headers of a
 * device in place of its own where they differ, and without whatever builds
 * left in it. The kernel's build refuses a source that was built in, and could
 * take old files for new ones.
 *
 * The archive's headers have their comments taken out. One that equals the
 * source's own but for that stays the source's: its lines are where people look
 * for them, and its checksum, where it has one, is true. One that differs is
 * the device's, with its checksum made true.
 *
 * A folder that is the source's with all that is in it becomes one link; but
 * among headers only if all of them are, as `../x.h` behind a link would be the
 * source's own.
 *
 * @throws the signal's reason
 * @see outputmakefile and mrproper in the kernel's Makefile
 */
export async function mergeTree(options: MergedTreeOptions): Promise<MergedHeaders> {
  const merged: MergedHeaders = { replaced: [], added: [] };
  const { folder } = await mergeFolder('', options, merged);
  await write(folder, options.path);
  return merged;
}

/** The folders in which a kernel's preparation makes files, or which hold headers: looked into. Others are linked to. */
export function watchedFolders(srcArch: string): string[] {
  return ['include', 'scripts', 'kernel', `arch/${srcArch}`];
}

interface Merged {
  folder: Folder;
  /** Whether nothing is different from the source's own. */
  plain: boolean;
}

async function mergeFolder(at: string, options: MergedTreeOptions, merged: MergedHeaders): Promise<Merged> {
  const { tree, headersPath, srcArch, signal } = options;
  signal.throwIfAborted();
  const own = await namesIn(join(tree, at));
  const device = isOfArchive(at, srcArch) ? await namesIn(join(headersPath, at)) : new Map<string, boolean>();
  const left = leftByBuilds(at, [...own.keys()], srcArch);
  const folder: Folder = new Map();
  let plain = left.size === 0 && at !== '';
  for (const [name, isFolder] of new Map([...device, ...own])) {
    const path = join(at, name);
    if (left.has(name) && !device.has(name)) continue;
    if (generatedFolders(srcArch).includes(path) || path === 'include/config') continue;
    const ownPath = join(tree, path);
    if (isFolder && isWatched(path, srcArch)) {
      const below = await mergeFolder(path, options, merged);
      folder.set(name, below.plain && !isOfArchive(at, srcArch) ? ownPath : below.folder);
      plain &&= below.plain;
    } else {
      const differing = device.has(name) && !isFolder ? await deviceHeader(path, options, merged) : undefined;
      folder.set(name, differing ?? ownPath);
      plain &&= differing === undefined;
    }
  }
  return { folder, plain };
}

/** The device's header, where the source has none that says the same. */
async function deviceHeader(
  path: string,
  { tree, headersPath }: MergedTreeOptions,
  merged: MergedHeaders,
): Promise<string | { text: string } | undefined> {
  const devicePath = join(headersPath, path);
  const [device, own] = [await readText(devicePath), await readText(join(tree, path))];
  if (device === undefined || device === own) return undefined;
  if (own !== undefined && withoutComments(own) === device) return undefined;
  (own === undefined ? merged.added : merged.replaced).push(path);
  const mended = withTrueChecksum(device);
  return mended === undefined ? devicePath : { text: mended };
}

/** Headers of the archive: they are below these folders alone. */
function isOfArchive(at: string, srcArch: string): boolean {
  return ['include', `arch/${srcArch}/include`].some((root) => at === root || at.startsWith(`${root}/`));
}

function isWatched(path: string, srcArch: string): boolean {
  return watchedFolders(srcArch).some(
    (watched) => path === watched || path.startsWith(`${watched}/`) || watched.startsWith(`${path}/`),
  );
}

/** The names in a folder, and whether each is a folder itself; none where there is no such folder. */
async function namesIn(path: string): Promise<Map<string, boolean>> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return new Map(entries.map((entry) => [entry.name, entry.isDirectory()]));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return new Map();
    throw error;
  }
}

/** Undefined for a file that is not there, which a link may lead to. */
async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined;
    throw error;
  }
}

async function write(folder: Folder, path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  for (const [name, entry] of folder) {
    const at = join(path, name);
    if (typeof entry === 'string') await symlink(entry, at);
    else if (entry instanceof Map) await write(entry, at);
    else await writeFile(at, entry.text, 'latin1');
  }
}
