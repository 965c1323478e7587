import { listArchives } from '../store/archives';
import { collectGarbage } from '../store/gc';
import type { Store } from '../store/layout';

/** What a clean-up gave back, or would. */
export interface Garbage {
  archives: { sha256: string; release: string; bytes: number; treeBytes: number }[];
  removed: boolean;
}

/**
 * Removes archives and trees that no workspace refers to and no pull has used
 * within the last hour, and what killed runs left.
 *
 * @throws KhError STORE_*, TIMEOUT
 */
export async function collectStore(store: Store, { dryRun }: { dryRun: boolean }): Promise<Garbage> {
  const known = await listArchives(store);
  const digests = await collectGarbage(store, { dryRun });
  const archives = digests.map((digest) => {
    const facts = known.find(({ sha256 }) => sha256 === digest);
    const { release = '', bytes = 0, treeBytes = 0 } = facts ?? {};
    return { sha256: digest, release, bytes, treeBytes };
  });
  return { archives, removed: !dryRun };
}
