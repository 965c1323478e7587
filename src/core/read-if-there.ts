import { readFile } from 'node:fs/promises';
import { diskError } from './disk-error';
import { isErrno } from './errors';

/**
 * @returns undefined where there is no such file
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw diskError(error, path);
  }
}
