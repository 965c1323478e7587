import { randomUUID } from 'node:crypto';
import { chmodSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { outputError } from './disk-error';
import { KhError, isErrno } from './errors';
import { userMode } from './umask';

/**
 * Writes a file outside the store, such that others see it whole or not at
 * all. One that is there is replaced, and keeps its mode; behind a link, that
 * which the link leads to.
 *
 * Synchronous: it is for small files, one of them written as the process ends.
 *
 * @throws KhError USAGE as `refuseOddPlace`; STORE_FULL, STORE_DENIED, STORE_IO
 */
export function replaceFile(path: string, text: string): void {
  const place = behindLinks(path);
  const temporary = `${place}.${randomUUID()}.tmp`;
  try {
    refuseOddPlace(place);
    const before = statSync(place, { throwIfNoEntry: false });
    const mode = before === undefined ? userMode(0o666) : before.mode & 0o777;
    writeFileSync(temporary, text, { flag: 'wx', mode });
    if (before !== undefined) chmodSync(temporary, mode); // as the umask takes some of it away
    renameSync(temporary, place);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw outputError(error, path);
  }
}

/** The path of what links lead to, those of its folders too; of something that is not there yet, where it would be. */
export function behindLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const isTop = dirname(path) === path;
    if (isErrno(error, 'ENOENT') && !isTop) return join(behindLinks(dirname(path)), basename(path));
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG')) return path;
    throw error;
  }
}

/**
 * Refuses to put a file where a device, a pipe or a folder is: as root, that
 * would take `/dev/null` from the whole machine.
 *
 * @throws KhError USAGE; as node:fs does
 */
export function refuseOddPlace(path: string): void {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there === undefined || there.isFile()) return;
  const kind = there.isDirectory() ? 'a folder' : there.isFIFO() ? 'a pipe' : 'a device or a socket';
  throw new KhError('USAGE', {
    message: `${path} is ${kind}, and is not replaced by a file`,
    hint: 'Name a file.',
    details: { path },
  });
}
