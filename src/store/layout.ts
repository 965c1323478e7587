import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';
import { join, resolve } from 'node:path';
import { diskError } from '../core/disk-error';
import { isErrno } from '../core/errors';
import { makeFolder } from '../core/make-folder';
import { openUmask } from '../core/umask';
import { PRIVATE, requireSameModes, storeModes, type StoreModes } from './sharing';
import { sweepStages } from './stage';

/**
 * The folders of an open store. Archives and trees are named by the sha256 of
 * the archive, never change, and appear by rename only.
 */
export interface Store {
  /** KH_HOME. What lies in it beside `v1` belongs to other versions of kh. */
  readonly home: string;
  readonly archives: string;
  readonly trees: string;
  /** What was read of archives by `kh headers`, to be read again at once. */
  readonly indexes: string;
  readonly workspaces: string;
  /** Which attached device goes by which workspace name. */
  readonly devices: string;
  /** Which kernel modules kh has loaded on which device, and who uses them. */
  readonly leases: string;
  readonly locks: string;
  /** Whatever is not finished. Each name tells the process that it belongs to. */
  readonly tmp: string;
  /** What others may do with what is made in it. */
  readonly modes: StoreModes;
  /** Ends every wait for another process. */
  readonly signal: AbortSignal;
}

const VERSION = 'v1';

const FOLDERS = ['archives', 'trees', 'indexes', 'workspaces', 'devices', 'leases', 'locks', 'tmp'] as const;

/**
 * Where kh keeps what it pulls: `KH_HOME` (a relative one counts from the
 * current folder), or else the platform's folder for an application's data.
 * On macOS that has a space in it, which make cannot work with, so kh goes
 * where it goes on Linux.
 *
 * @see the XDG Base Directory Specification: a relative XDG_DATA_HOME is ignored
 */
export function homeFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const given = env['KH_HOME'];
  if (given !== undefined && given !== '') return resolve(given);
  if (platform === 'win32') {
    return win32.join(env['LOCALAPPDATA'] ?? win32.join(homedir(), 'AppData', 'Local'), 'kh');
  }
  const user = env['HOME'] ?? '';
  const home = user.startsWith('/') ? user : homedir();
  const data = env['XDG_DATA_HOME'] ?? '';
  return posix.join(data.startsWith('/') ? data : posix.join(home, '.local', 'share'), 'kh');
}

/**
 * Opens the store, makes its folders where they are missing, and gives back
 * the space of runs that were killed. A home that is made here is private; one
 * that is there may be shared by a group, see `storeModes`.
 *
 * @param signal ends every wait for another process, in all work on this store
 * @throws KhError STORE_DENIED where the folder is not ours or not writable, STORE_FULL, STORE_IO
 */
export async function openStore(options: { home: string; signal?: AbortSignal }): Promise<Store> {
  const found = storeAt(options);
  const { home } = found;
  const version = join(home, VERSION);
  try {
    await makeFolder(home, PRIVATE.folder);
    const modes = await storeModes(home);
    if (modes.shared) openUmask(modes.folder);
    await makeFolder(version, modes.folder);
    await requireSameModes(home, version, modes);
    await Promise.all(FOLDERS.map((name) => makeFolder(join(version, name), modes.folder)));
    const store = { ...found, modes };
    await sweepStages(store);
    return store;
  } catch (error) {
    throw diskError(error, home);
  }
}

/**
 * The store as it is, for work that only reads it: nothing is made, it need not
 * be writable, and one that is not there is empty.
 *
 * @throws KhError STORE_DENIED where strangers could have written to it, STORE_IO
 */
export async function findStore(options: { home: string; signal?: AbortSignal }): Promise<Store> {
  const found = storeAt(options);
  const { home } = found;
  try {
    const modes = await storeModes(home);
    await requireSameModes(home, join(home, VERSION), modes);
    return { ...found, modes };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return found;
    throw diskError(error, home);
  }
}

/** Where the folders of a store are, or would be: for a look that changes nothing. */
export function storeAt(options: { home: string; signal?: AbortSignal }): Store {
  const home = resolve(options.home);
  const folders = Object.fromEntries(FOLDERS.map((name) => [name, join(home, VERSION, name)]));
  const signal = options.signal ?? new AbortController().signal;
  return { home, ...(folders as Record<(typeof FOLDERS)[number], string>), modes: PRIVATE, signal };
}
