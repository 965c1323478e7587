import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { diskError } from './disk-error';
import { userMode } from './umask';

/**
 * Writes a file outside the store, such that others see it whole or not at
 * all; one that is there is replaced.
 *
 * Synchronous: it is for small files, one of them written as the process ends.
 *
 * @throws KhError STORE_FULL, STORE_DENIED, STORE_IO
 */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: userMode(0o666) });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw diskError(error, path);
  }
}
