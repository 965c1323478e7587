import { KhError } from '../core/errors';
import {
  archiveIdleTime,
  archivePath,
  discardArchive,
  storedDigests,
  treePath,
  withArchiveLock,
} from './archives';
import { diskUsage } from './disk-usage';
import { indexUses } from './indexes';
import type { Store } from './layout';
import { removeTree, sweepStages } from './stage';
import { referencedArchives, removeIdleWorkspace, workspaceUses, type WorkspaceUse } from './workspaces';

/** What was used within this time is not removed: a pull may be about to make a workspace of it; milliseconds. */
const GRACE = 3600_000;

/** How long a removal waits for whoever is busy with the same thing, in milliseconds; then it leaves it alone. */
const PATIENCE = 1_000;

/** What goes besides what no workspace refers to. Times are milliseconds. */
export interface GarbageRules {
  /** Workspaces that nothing has used for so long. */
  olderThan?: number;
  /** Kernels that were used least recently, with their workspaces, until the store takes no more than so many bytes. */
  maxBytes?: number;
  /** Whatever was used within this time stays (default one hour). */
  grace?: number;
  /** Only tells what would be removed. */
  dryRun?: boolean;
}

/** A workspace, or an archive with its tree, that is garbage. */
interface Idle {
  /** Milliseconds since it was last used. */
  idle: number;
  /** What it takes on the disk. */
  diskBytes: number;
}

export interface Collected {
  workspaces: (Idle & { path: string })[];
  archives: (Idle & { sha256: string })[];
  /** Indexes of archives; the next look into the archive makes them again. */
  indexes: (Idle & { path: string })[];
  /** What others were busy with, and was left alone: paths and digests. */
  busy: string[];
  /** What the archives, trees, indexes and workspaces take on the disk that stay. */
  remainingBytes: number;
}

/**
 * Removes archives and trees that no workspace refers to, what the rules name,
 * indexes that nobody looks into, and what killed runs left in staging.
 *
 * A pull that goes on at the same time has two guards. Whatever was used within
 * the last hour stays. And under the lock of the thing its last use, and the
 * references of an archive, are read once more before it goes: `writeWorkspace`
 * makes its reference under the archive's lock, so either this sees the reference,
 * or that finds the tree gone and says to run again.
 *
 * @returns what was removed, or would be
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function collectGarbage(store: Store, rules: GarbageRules = {}): Promise<Collected> {
  const { grace = GRACE, dryRun = false } = rules;
  const plan = await planCollection(store, rules);
  if (dryRun) return plan;
  await sweepStages(store);
  const busy: string[] = [];
  const workspaces = await removedOf(plan.workspaces, pathOf, busy, ({ path }) =>
    removeIdleWorkspace(store, path, { idle: grace, wait: PATIENCE }),
  );
  const archives = await removedOf(plan.archives, digestOf, busy, ({ sha256 }) =>
    removeIdleArchive(store, sha256, grace),
  );
  for (const { path } of plan.indexes) await removeTree(path);
  const kept = bytesOf([...plan.workspaces, ...plan.archives]) - bytesOf([...workspaces, ...archives]);
  return { workspaces, archives, indexes: plan.indexes, busy, remainingBytes: plan.remainingBytes + kept };
}

const pathOf = ({ path }: { path: string }) => path;
const digestOf = ({ sha256 }: { sha256: string }) => sha256;

/** An archive with its tree, and the workspaces that stay for now and refer to it. */
interface Kernel extends Idle {
  sha256: string;
  users: (WorkspaceUse & Idle)[];
}

async function planCollection(store: Store, rules: GarbageRules): Promise<Collected> {
  const { grace = GRACE, olderThan = Infinity, maxBytes = Infinity } = rules;
  const workspaces = (await workspaceUses(store)).map((use) => ({ ...use, diskBytes: diskUsage(use.path) }));
  const isOld = ({ idle }: Idle) => idle >= Math.max(olderThan, grace);
  const kernels = await kernelsOf(
    store,
    workspaces.filter((use) => !isOld(use)),
  );
  const unused = kernels.filter(({ users, idle }) => users.length === 0 && idle >= grace);
  const indexes = (await indexUses(store)).map((use) => ({ ...use, diskBytes: diskUsage(use.path) }));
  const idleIndexes = indexes.filter(({ idle }) => idle >= grace);
  const usedIndexes = indexes.filter(({ idle }) => idle < grace);
  const { surplus, leaving, remainingBytes } = surplusOf(
    kernels.filter((kernel) => !unused.includes(kernel)),
    maxBytes - bytesOf(usedIndexes),
    grace,
  );
  return {
    workspaces: [...workspaces.filter(isOld), ...leaving].map(({ path, idle, diskBytes }) => ({
      path,
      idle,
      diskBytes,
    })),
    archives: [...unused, ...surplus].map(({ sha256, idle, diskBytes }) => ({ sha256, idle, diskBytes })),
    indexes: idleIndexes,
    busy: [],
    remainingBytes: remainingBytes + bytesOf(usedIndexes),
  };
}

/**
 * What has to go, the least recently used first, so that the rest takes no
 * more than `maxBytes`. A workspace may use two archives: its headers, and
 * build files that came with them.
 */
function surplusOf(kernels: Kernel[], maxBytes: number, grace: number) {
  const idleOf = ({ idle, users }: Kernel) => Math.min(idle, ...users.map((user) => user.idle));
  const staying = new Map(kernels.flatMap(({ users }) => users.map((user) => [user.path, user])));
  let remainingBytes = bytesOf(kernels) + bytesOf([...staying.values()]);
  const surplus: Kernel[] = [];
  const leaving: Kernel['users'] = [];
  for (const kernel of kernels.toSorted((one, other) => idleOf(other) - idleOf(one))) {
    if (remainingBytes <= maxBytes || idleOf(kernel) < grace) break;
    const users = kernel.users.filter(({ path }) => staying.delete(path));
    surplus.push(kernel);
    leaving.push(...users);
    remainingBytes -= kernel.diskBytes + bytesOf(users);
  }
  return { surplus, leaving, remainingBytes };
}

async function kernelsOf(store: Store, workspaces: Kernel['users']): Promise<Kernel[]> {
  const kernels: Kernel[] = [];
  for (const sha256 of await storedDigests(store)) {
    const idle = await archiveIdleTime(store, sha256);
    if (idle === undefined) continue;
    const diskBytes = diskUsage(archivePath(store, sha256)) + diskUsage(treePath(store, sha256));
    kernels.push({
      sha256,
      idle,
      diskBytes,
      users: workspaces.filter((use) => use.archives.includes(sha256)),
    });
  }
  return kernels;
}

/** Removes each, but for those that have been used meanwhile, and those that others are busy with. */
async function removedOf<T>(
  planned: T[],
  name: (one: T) => string,
  busy: string[],
  remove: (one: T) => Promise<boolean>,
): Promise<T[]> {
  const removed: T[] = [];
  for (const one of planned) {
    try {
      if (await remove(one)) removed.push(one);
    } catch (error) {
      if (!(error instanceof KhError && error.code === 'TIMEOUT')) throw error;
      busy.push(name(one));
    }
  }
  return removed;
}

function removeIdleArchive(store: Store, sha256: string, grace: number): Promise<boolean> {
  const remove = async () => {
    const stillIdle = ((await archiveIdleTime(store, sha256)) ?? 0) >= grace;
    if (!stillIdle || (await referencedArchives(store)).has(sha256)) return false;
    await discardArchive(store, sha256);
    return true;
  };
  return withArchiveLock(store, sha256, remove, { wait: PATIENCE });
}

function bytesOf(things: Idle[]): number {
  return things.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
}
