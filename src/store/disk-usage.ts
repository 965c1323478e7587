import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../core/disk-error';
import { isErrno } from '../core/errors';

/** The unit of `st_blocks`, whatever the file system's own blocks are. @see stat(2) */
const BLOCK = 512;

/**
 * Bytes that a file or a folder with all in it takes on the disk, as du(1)
 * counts them; 0 where there is none.
 *
 * @throws KhError STORE_DENIED, STORE_IO
 */
export function diskUsage(path: string): number {
  try {
    const stats = lstatSync(path);
    const own = process.platform === 'win32' ? stats.size : stats.blocks * BLOCK;
    if (!stats.isDirectory()) return own;
    return readdirSync(path).reduce((sum, name) => sum + diskUsage(join(path, name)), own);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 0;
    throw diskError(error, path);
  }
}
