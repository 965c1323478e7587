import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../core/disk-error';
import { isErrno } from '../core/errors';
import { makeFolder } from '../core/make-folder';
import { asDiskName } from './disk-name';
import type { Store } from './layout';
import { withLock } from './lock';
import { newProcessMark } from './process-mark';
import { isLeftover, removeTree } from './stage';

/** How long the last user waits for another process that is just coming or going, in milliseconds. */
const LEAVE_WAIT = 15_000;

/** A device as it is since it booted: no module outlives a boot. */
export interface BootedDevice {
  /** A name from `claimDeviceName`. */
  device: string;
  bootId: string;
}

/** One use of the module, by this process. */
export interface ModuleUse {
  /**
   * Ends the use. The last one out runs `unload`, if it was kh that had loaded
   * the module; where that fails, the module stays down as ours, for a later
   * run to unload. Goes on after the store's signal fired.
   *
   * @throws whatever `unload` throws; KhError TIMEOUT, STORE_*
   */
  leave(unload: () => Promise<void>): Promise<'unloaded' | 'in-use' | 'not-ours'>;
}

/** Who has to unload the module: kh, from `write` on, unless `strike` takes it back. */
export interface LoadNote {
  /** To be called once the device said that the module is not loaded, and before it is. */
  write(): Promise<void>;
  /** To be called when it was not kh that loaded it, or nobody did. */
  strike(): Promise<void>;
}

/**
 * Says that this process uses the headers module on a device from now on, so
 * that no other kh unloads it.
 *
 * Who uses it is a folder on disk: a file for each use, named by its process,
 * and `ours` where it is for kh to unload it. Users that were killed do not
 * count. The note is made before the module is loaded: a kh that is killed
 * between the two, or that never hears what came of it, leaves the note behind
 * and a later one clears up.
 *
 * @param load loads the module, or finds it loaded; one process at a time runs it
 * @throws whatever `load` throws; KhError TIMEOUT, STORE_*
 */
export async function enterModuleUse(
  store: Store,
  place: BootedDevice,
  load: (note: LoadNote) => Promise<void>,
): Promise<ModuleUse> {
  const folder = folderOf(store, place);
  const user = join(folder, newProcessMark());
  const ours = join(folder, OURS);
  const note: LoadNote = {
    write: () => onDisk(ours, () => writeFile(ours, '')),
    strike: () => onDisk(ours, () => rm(ours, { force: true })),
  };
  await withLock(store, lockName(place), async () => {
    await onDisk(folder, async () => {
      await removeOtherBoots(store, place);
      await makeFolder(folder, store.modes.folder);
      await writeFile(user, '');
    });
    try {
      await load(note);
    } catch (error) {
      await forget(user);
      await removeIfUnused(folder);
      throw error;
    }
  });
  return { leave: (unload) => leave(store, place, user, unload) };
}

/**
 * Whether kh loaded the module in this boot and nobody uses it any more:
 * whoever should have unloaded it was killed, or could not. A use entered and
 * left makes up for it.
 *
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function pendingModuleUse(store: Store, place: BootedDevice): Promise<boolean> {
  const folder = folderOf(store, place);
  return (await namesIn(folder)).includes(OURS) && (await liveUsers(folder)).length === 0;
}

const OURS = 'ours';

async function leave(
  store: Store,
  place: BootedDevice,
  user: string,
  unload: () => Promise<void>,
): Promise<'unloaded' | 'in-use' | 'not-ours'> {
  const folder = folderOf(store, place);
  const { signal } = new AbortController();
  try {
    return await withLock(
      store,
      lockName(place),
      async () => {
        await forget(user);
        if ((await liveUsers(folder)).length > 0) return 'in-use';
        const ours = (await namesIn(folder)).includes(OURS);
        if (ours) await unload();
        await removeTree(folder);
        return ours ? 'unloaded' : 'not-ours';
      },
      { signal, wait: LEAVE_WAIT },
    );
  } finally {
    await forget(user);
  }
}

function lockName({ device }: BootedDevice): string {
  return `module-${device}`;
}

function folderOf(store: Store, { device, bootId }: BootedDevice): string {
  return join(store.leases, asDiskName(device), asDiskName(bootId));
}

async function removeOtherBoots(store: Store, { device, bootId }: BootedDevice): Promise<void> {
  const boots = join(store.leases, asDiskName(device));
  const others = (await namesIn(boots)).filter((name) => name !== asDiskName(bootId));
  await Promise.all(others.map((name) => removeTree(join(boots, name))));
}

/** The uses whose processes still run; the others are struck out. */
async function liveUsers(folder: string): Promise<string[]> {
  const live: string[] = [];
  for (const name of await namesIn(folder)) {
    if (name === OURS) continue;
    const path = join(folder, name);
    if (await isLeftover(path, name)) await forget(path);
    else live.push(name);
  }
  return live;
}

async function removeIfUnused(folder: string): Promise<void> {
  const unused = (await liveUsers(folder)).length === 0;
  if (unused && !(await namesIn(folder)).includes(OURS)) await removeTree(folder);
}

async function forget(user: string): Promise<void> {
  await onDisk(user, () => rm(user, { force: true }));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw diskError(error, folder);
  }
}

async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw diskError(error, path);
  }
}
