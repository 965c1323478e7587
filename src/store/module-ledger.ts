import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../core/disk-error';
import { isErrno } from '../core/errors';
import { asDiskName } from './disk-name';
import type { Store } from './layout';
import { withLock } from './lock';
import { makeFolder } from './make-folder';
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

/**
 * Says that this process uses the headers module on a device from now on, so
 * that no other kh unloads it.
 *
 * Who uses it is a folder on disk: a file for each use, named by its process,
 * and `loaded` where it was kh that loaded it. Users that were killed do not
 * count. Where kh is killed while `load` runs, nobody knows whether the module
 * had been there before, and kh leaves it alone.
 *
 * @param load loads the module, or finds it loaded; one process at a time runs it
 * @throws whatever `load` throws; KhError TIMEOUT, STORE_*
 */
export async function enterModuleUse(
  store: Store,
  place: BootedDevice,
  load: () => Promise<'loaded' | 'was-loaded'>,
): Promise<ModuleUse> {
  const folder = folderOf(store, place);
  const user = join(folder, newProcessMark());
  await withLock(store, lockName(place), async () => {
    await onDisk(folder, async () => {
      await removeOtherBoots(store, place);
      await makeFolder(folder);
      await writeFile(user, '');
      // Made before, so that a full disk cannot keep kh from noting what it loaded.
      await writeFile(join(folder, LOADING), '');
    });
    try {
      if ((await load()) === 'loaded') {
        await onDisk(folder, () => rename(join(folder, LOADING), join(folder, LOADED)));
      }
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
  return (await namesIn(folder)).includes(LOADED) && (await liveUsers(folder)).length === 0;
}

const LOADING = 'loading';
const LOADED = 'loaded';

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
        const ours = (await namesIn(folder)).includes(LOADED);
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
    if (name === LOADED || name === LOADING) continue;
    const path = join(folder, name);
    if (await isLeftover(path, name)) await forget(path);
    else live.push(name);
  }
  return live;
}

async function removeIfUnused(folder: string): Promise<void> {
  const unused = (await liveUsers(folder)).length === 0;
  if (unused && !(await namesIn(folder)).includes(LOADED)) await removeTree(folder);
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
