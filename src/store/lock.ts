import { mkdir, readdir, rename, rmdir, unlink, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { delay } from '../core/abort';
import { diskError } from '../core/disk-error';
import { KhError, isErrno } from '../core/errors';
import { humanDuration } from '../core/human';
import { diskName } from './disk-name';
import type { Store } from './layout';
import { describeMark, processState } from './process-mark';
import { ageOf, removeTree, temporaryPath } from './stage';

const DEFAULT_WAIT = 60_000;
const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 200;

/** How often a holder shows that it lives, and when one that cannot be asked counts as dead; milliseconds. */
const HEARTBEAT = 20_000;
const HEARTBEAT_LOST = 300_000;

export interface LockOptions {
  /** Ends the wait; the store's own signal by default. */
  signal?: AbortSignal;
  /** Longest wait for one holder, in milliseconds (default one minute); who comes after that one is waited for anew. */
  wait?: number;
  /** Called once, when the lock is found taken. */
  onWait?: () => void;
}

/**
 * Runs `work` while no one else, in this process or another, runs work under
 * the same name in this store. Not reentrant.
 *
 * A lock is a folder with one file in it, whose name is the holder's process
 * mark. It is made aside and renamed into place, which fails while a folder
 * with something in it is there. The file of a holder that was killed is
 * removed by its own name, so breaking a lock can never hit the next holder;
 * the empty folder left behind is free for all.
 *
 * Only a holder that cannot be asked about (on another host, or where the
 * platform tells no start times) is judged by its heartbeat.
 *
 * @throws KhError TIMEOUT when the wait is over, naming the holder; STORE_*; or the signal's reason
 */
export async function withLock<T>(
  store: Store,
  name: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const path = join(store.locks, diskName(name));
  const mark = await acquire(store, path, name, options);
  const file = join(path, mark);
  const heartbeat = setInterval(() => void beat(file), HEARTBEAT).unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await unless('ENOENT', unlink(file));
    await removeIfEmpty(path);
  }
}

async function acquire(store: Store, path: string, name: string, options: LockOptions): Promise<string> {
  const { signal = store.signal, wait = DEFAULT_WAIT, onWait } = options;
  signal.throwIfAborted();
  const candidate = temporaryPath(store);
  const mark = basename(candidate);
  try {
    await mkdir(candidate, { mode: store.modes.folder });
    await writeFile(join(candidate, mark), '');
    let awaited: { holder: string; since: number } | undefined;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      if (await renamedInto(candidate, path)) return mark;
      const holder = await livingHolder(path);
      if (holder === undefined) continue;
      if (awaited === undefined) onWait?.();
      if (awaited?.holder !== holder) awaited = { holder, since: performance.now() };
      const left = wait - (performance.now() - awaited.since);
      if (left <= 0) throw waitError(name, holder, wait);
      await delay(Math.min(left, pause * (0.5 + Math.random() / 2)), signal);
    }
  } catch (error) {
    await removeTree(candidate);
    if (signal.aborted) throw signal.reason;
    throw diskError(error, path);
  }
}

/** False when the lock is taken. */
async function renamedInto(candidate: string, path: string): Promise<boolean> {
  try {
    await rename(candidate, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return false;
    // Windows says so for a folder that exists, empty or not.
    if (process.platform === 'win32' && isErrno(error, 'EPERM', 'EACCES')) return false;
    throw error;
  }
}

/** The mark of the one who holds a lock; a dead one's is removed. */
async function livingHolder(path: string): Promise<string | undefined> {
  for (const mark of (await unless('ENOENT', readdir(path))) ?? []) {
    const state = processState(mark);
    const age = state === 'unknown' ? await ageOf(join(path, mark)) : 0;
    if (state !== 'gone' && age !== undefined && age < HEARTBEAT_LOST) return mark;
    await unless('ENOENT', unlink(join(path, mark)));
  }
  await removeIfEmpty(path);
  return undefined;
}

async function removeIfEmpty(path: string): Promise<void> {
  await unless(['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EPERM'], rmdir(path));
}

async function beat(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now).catch(() => undefined); // the lock was just given back
}

async function unless<T>(codes: string | string[], call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isErrno(error, ...[codes].flat())) return undefined;
    throw error;
  }
}

function waitError(name: string, holder: string, wait: number): KhError {
  const who = describeMark(holder);
  return new KhError('TIMEOUT', {
    message: `waited ${humanDuration(wait)} for ${name}, which ${who} is busy with`,
    hint: 'Wait for it to end, or end it, and run again.',
    details: { lock: name, holder: who },
  });
}
