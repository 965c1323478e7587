import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../core/disk-error';
import { KhError, isErrno } from '../core/errors';

export interface HeadersTree {
  /** UTS_RELEASE of include/generated/utsrelease.h: what `uname -r` says on the kernel that it was made for. */
  release: string;
}

/**
 * Files that every archive from 5.2 to 6.17 holds, and that a build or a
 * tracing program cannot do without: the configuration, what includes it, the
 * release, and a header of the source tree and one of its uapi part. If a
 * cleaner or a broken build emptied a part of the tree, one of these is gone.
 */
const REQUIRED = [
  'include/linux/kconfig.h',
  'include/generated/autoconf.h',
  'include/generated/utsrelease.h',
  'include/linux/types.h',
  'include/uapi/linux/types.h',
];

export const UTSRELEASE = 'include/generated/utsrelease.h';

/** The kernel's own limit for the string (__NEW_UTS_LEN in include/uapi/linux/utsname.h). */
const LONGEST_RELEASE = 64;

/**
 * Checks that an unpacked tree holds what headers must hold, and reads which
 * kernel it belongs to.
 *
 * @throws KhError ARCHIVE_INCOMPLETE naming what is missing, STORE_DENIED, STORE_IO
 */
export async function inspectHeaders(treePath: string): Promise<HeadersTree> {
  const missing: string[] = [];
  for (const name of REQUIRED) {
    if (!(await isFile(treePath, name))) missing.push(name);
  }
  if (!(await hasArchHeaders(treePath))) missing.push('arch/*/include/asm');
  if (missing.length > 0) throw incomplete(`lacks ${missing.join(', ')}`, { missing });
  return { release: await readRelease(treePath) };
}

/** A link to a file will do: some builds make archives of links, and unpacking saw to it that they stay inside. */
async function isFile(treePath: string, name: string): Promise<boolean> {
  return (await statOf(join(treePath, name)))?.isFile() === true;
}

async function hasArchHeaders(treePath: string): Promise<boolean> {
  for (const arch of await namesIn(join(treePath, 'arch'))) {
    if ((await statOf(join(treePath, 'arch', arch, 'include/asm')))?.isDirectory() === true) return true;
  }
  return false;
}

async function readRelease(treePath: string): Promise<string> {
  const text = await readStart(join(treePath, UTSRELEASE), 4096);
  const release = releaseIn(text);
  if (release !== undefined) return release;
  throw incomplete(`has no usable release in ${UTSRELEASE}: "${text.slice(0, 100)}"`, { missing: [] });
}

/** The release that the text of an utsrelease.h defines; undefined where it is none that a kernel can have. */
export function releaseIn(utsrelease: string): string | undefined {
  const release = /^#define UTS_RELEASE "([\x21-\x7e]+)"\s*$/.exec(utsrelease)?.[1] ?? '';
  const usable = !/["\\]/.test(release) && release.length <= LONGEST_RELEASE && release !== '';
  return usable ? release : undefined;
}

async function readStart(path: string, bytes: number): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
      return buffer.toString('latin1', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw diskError(error, path);
  }
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw diskError(error, path);
  }
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw diskError(error, path);
  }
}

function incomplete(what: string, details: Record<string, unknown>): KhError {
  return new KhError('ARCHIVE_INCOMPLETE', {
    message: `the archive is no complete set of kernel headers: it ${what}`,
    hint: 'The kernel was built wrongly, or this is an archive of something else.',
    details,
  });
}
