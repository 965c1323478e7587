import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../core/disk-error';
import { isErrno } from '../core/errors';

/** How much is in a tree: enough to see that something was taken from it, or cut short. */
export interface TreeShape {
  /** Folders below the root. */
  folders: number;
  /** All else. */
  files: number;
  /** Bytes of the files, all in all. */
  bytes: number;
}

/**
 * Counts what is in a tree. Synchronous: 340 folders take about 8 ms, with
 * `sizes` about 30 ms for 6,500 files; promises would double that.
 *
 * @param sizes whether to look at each file; without it `bytes` is 0
 * @returns undefined where there is no such folder
 * @throws KhError STORE_DENIED, STORE_IO
 */
export function treeShape(root: string, { sizes }: { sizes: boolean }): TreeShape | undefined {
  const shape = { folders: 0, files: 0, bytes: 0 };
  const pending = [root];
  try {
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) {
          shape.folders += 1;
          pending.push(path);
        } else {
          shape.files += 1;
          if (sizes && entry.isFile()) shape.bytes += lstatSync(path).size;
        }
      }
    }
    return shape;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw diskError(error, root);
  }
}
