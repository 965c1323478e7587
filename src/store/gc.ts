import { readdir } from 'node:fs/promises';
import { diskError } from '../core/disk-error';
import { archiveIdleTime, discardArchive, withArchiveLock } from './archives';
import type { Store } from './layout';
import { sweepStages } from './stage';
import { referencedArchives } from './workspaces';

/** An archive that no pull has used for so long is not about to get a workspace; milliseconds. */
const GRACE = 3600_000;

/** An archive or a tree that no workspace refers to. */
export interface UnreferencedArchive {
  sha256: string;
  /** Milliseconds since a pull last used it. */
  idle: number;
}

/** @throws KhError STORE_DENIED, STORE_IO */
export async function unreferencedArchives(store: Store): Promise<UnreferencedArchive[]> {
  const used = await referencedArchives(store);
  const digests = [...(await storedDigests(store))].filter((sha256) => !used.has(sha256)).sort();
  const found = await Promise.all(
    digests.map(async (sha256) => {
      const idle = await archiveIdleTime(store, sha256);
      return idle === undefined ? [] : [{ sha256, idle }];
    }),
  );
  return found.flat();
}

/**
 * Removes archives and trees that no workspace refers to, and what killed
 * runs left in staging.
 *
 * A pull that goes on at the same time has two guards. An archive that a pull
 * found or added within the last hour stays. And under the archive's lock the
 * references are read once more before it goes: `writeWorkspace` makes its
 * reference under that lock, so either this sees the reference, or that finds
 * the tree gone and says to run again.
 *
 * @param dryRun only tells what would be removed
 * @param grace milliseconds of no use (default one hour)
 * @returns the digests of what was removed
 * @throws KhError STORE_DENIED, STORE_IO, TIMEOUT
 */
export async function collectGarbage(
  store: Store,
  { dryRun = false, grace = GRACE }: { dryRun?: boolean; grace?: number } = {},
): Promise<string[]> {
  const idle = (await unreferencedArchives(store)).filter((archive) => archive.idle >= grace);
  const digests = idle.map(({ sha256 }) => sha256);
  if (dryRun) return digests;
  await sweepStages(store);
  const removed: string[] = [];
  for (const sha256 of digests) {
    await withArchiveLock(store, sha256, async () => {
      const stillIdle = ((await archiveIdleTime(store, sha256)) ?? 0) >= grace;
      if (!stillIdle || (await referencedArchives(store)).has(sha256)) return;
      await discardArchive(store, sha256);
      removed.push(sha256);
    });
  }
  return removed;
}

/** Whatever is there in the name of a digest, whole or not. */
async function storedDigests(store: Store): Promise<Set<string>> {
  const digests = new Set<string>();
  for (const folder of [store.archives, store.trees]) {
    const names = await readdir(folder).catch((error: unknown) => {
      throw diskError(error, folder);
    });
    for (const name of names) {
      const sha256 = /^([0-9a-f]{64})(?:\.json|\.tar\.xz|)$/.exec(name)?.[1];
      if (sha256 !== undefined) digests.add(sha256);
    }
  }
  return digests;
}
