import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../core/disk-error';
import { isErrno } from '../core/errors';
import type { Store } from './layout';
import { newProcessMark, processState } from './process-mark';

/** After which a leftover goes whose process nobody can ask about (on another host), in milliseconds. */
const LEFTOVER_AGE = 24 * 3600_000;

/** A folder of our own to receive an archive in and to extract it. Disposing of it removes what is left in it. */
export interface Stage extends AsyncDisposable {
  readonly path: string;
  /** For the archive's bytes; does not exist yet. */
  readonly partPath: string;
  /** For the tree; an empty folder. */
  readonly treePath: string;
}

/** @throws KhError STORE_FULL, STORE_DENIED, STORE_IO */
export async function createStage(store: Store): Promise<Stage> {
  const path = temporaryPath(store);
  const treePath = join(path, 'tree');
  try {
    await mkdir(path, { mode: store.modes.folder });
    await mkdir(treePath, { mode: store.modes.folder });
  } catch (error) {
    throw diskError(error, path);
  }
  return {
    path,
    partPath: join(path, 'archive.part'),
    treePath,
    [Symbol.asyncDispose]: () => removeTree(path),
  };
}

/** A name for something unfinished, which later runs sweep should this process die. */
export function temporaryPath(store: Store): string {
  return join(store.tmp, newProcessMark());
}

/**
 * Removes what processes left in staging that no longer run. What belongs to a
 * process that cannot be asked about goes after 24 hours.
 *
 * Several processes may sweep at once: a leftover is first renamed to a name
 * of the sweeper's own, so one of them has the work of it.
 *
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function sweepStages(store: Store): Promise<void> {
  try {
    for (const name of await readdir(store.tmp)) {
      const path = join(store.tmp, name);
      if (!(await isLeftover(path, name))) continue;
      await discard(store, path);
    }
  } catch (error) {
    throw diskError(error, store.tmp);
  }
}

/** Whether what is at `path` belongs to a process that no longer runs; `name` holds its mark. */
export async function isLeftover(path: string, name: string): Promise<boolean> {
  const state = processState(name);
  if (state !== 'unknown') return state === 'gone';
  const age = await ageOf(path);
  return age !== undefined && age > LEFTOVER_AGE;
}

/** Milliseconds since a file or folder was last changed; undefined when it is gone. */
export async function ageOf(path: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw diskError(error, path);
  }
}

/**
 * Takes a folder out of sight in one step, then removes it. What cannot be
 * removed yet is left to later sweeps: files that another host has open on NFS
 * (.nfs…), or folders that only another user of a shared store may empty.
 * Where a folder cannot be moved, as one of a lower layer of an overlay, it is
 * emptied in place.
 *
 * @returns false where there is none
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function discard(store: Store, path: string): Promise<boolean> {
  const aside = temporaryPath(store);
  try {
    await rename(path, aside);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    if (!isErrno(error, 'EXDEV')) throw diskError(error, path);
    await removeTree(path);
    return true;
  }
  await removeIfPossible(aside);
  return true;
}

async function removeIfPossible(path: string): Promise<void> {
  try {
    await rm(path, REMOVAL);
  } catch (error) {
    if (!isErrno(error, 'EBUSY', 'ENOTEMPTY', 'EACCES', 'EPERM')) throw diskError(error, path);
  }
}

const REMOVAL = { recursive: true, force: true, maxRetries: 3 };

/**
 * Removes a folder with all that is in it, or a file; one that is not there is
 * fine.
 *
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, REMOVAL);
  } catch (error) {
    throw diskError(error, path);
  }
}
