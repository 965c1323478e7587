import { open, rename } from 'node:fs/promises';
import { diskError } from '../core/disk-error';
import type { Store } from './layout';
import { removeTree, temporaryPath } from './stage';

export { readIfThere } from '../core/read-if-there';

/**
 * Writes a file that others see whole or not at all, over one that may be there.
 *
 * @param lasting waits until the disk has it: for the small files that say
 *   what the large ones are. The large ones are checked when they are used.
 * @throws KhError STORE_FULL, STORE_DENIED, STORE_IO
 */
export async function writeWhole(
  store: Store,
  path: string,
  content: string | Buffer,
  { lasting = false } = {},
): Promise<void> {
  const temporary = temporaryPath(store);
  try {
    const file = await open(temporary, 'wx', store.modes.file);
    try {
      await file.writeFile(content);
      if (lasting) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await removeTree(temporary);
    throw diskError(error, path, content.length);
  }
}
