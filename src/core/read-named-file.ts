import { resolve } from 'node:path';
import { isErrno, KhError } from './errors';
import { readBounded } from './read-bounded';

/** Real ones, a `.config` or a `Module.symvers`, have up to a few megabytes. */
const LARGEST = 32 * 2 ** 20;

/**
 * Reads a file of a kernel's build that an option named; a pipe, as of the
 * shell's `<(…)`, will do.
 *
 * @throws KhError USAGE where it cannot be read, or is longer than any such file
 */
export async function readNamedFile(file: string): Promise<Buffer> {
  const path = resolve(file);
  const bytes = await readBounded(path, LARGEST).catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR', 'ELOOP')) throw error;
    throw new KhError('USAGE', { message: `cannot read ${path}: ${error.code}`, cause: error });
  });
  if (bytes.length <= LARGEST) return bytes;
  throw new KhError('USAGE', {
    message: `${path} is longer than any file of its kind: kh reads up to ${LARGEST} bytes`,
    details: { path },
  });
}
