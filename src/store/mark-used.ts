import { open, utimes } from 'node:fs/promises';
import { diskError } from '../core/disk-error';
import { isErrno } from '../core/errors';

/**
 * Makes a file just changed, as far as its time tells; one that is not there
 * is fine. Only its owner may set a file's time, but whoever may write to it
 * changes that by writing: its first byte, over itself.
 *
 * @returns whether it is there
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function markUsed(path: string): Promise<boolean> {
  const now = new Date();
  try {
    await utimes(path, now, now).catch(async (error: unknown) => {
      if (!isErrno(error, 'EPERM')) throw error;
      await rewriteFirstByte(path);
    });
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw diskError(error, path);
  }
}

async function rewriteFirstByte(path: string): Promise<void> {
  await using file = await open(path, 'r+');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, 0);
  await file.write(buffer, 0, bytesRead, 0);
}
