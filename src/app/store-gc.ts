import type { Emit } from '../core/events';
import { humanBytes } from '../core/human';
import { listArchives } from '../store/archives';
import { collectGarbage, type GarbageRules } from '../store/gc';
import type { Store } from '../store/layout';

/** What a clean-up gave back, or would. */
export interface Garbage {
  archives: {
    sha256: string;
    /** Empty where nothing tells. */
    release: string;
    bytes: number;
    /** Of the files in its tree. */
    treeBytes: number;
    /** ISO time. */
    lastUsed: string;
  }[];
  workspaces: { workspace: string; lastUsed: string }[];
  /** Of archives that `kh headers` read; the next look makes them again. */
  indexes: { path: string; lastUsed: string }[];
  /** What they take on the disk, all in all. */
  freedBytes: number;
  /** What the archives, trees, indexes and workspaces take that stay. */
  remainingBytes: number;
  /** False where this was only asked for. */
  removed: boolean;
}

/**
 * Removes archives and trees that no workspace refers to, workspaces as the
 * rules name them, indexes, and what killed runs left; nothing that was used within the
 * last hour. What others are busy with is warned of and stays.
 *
 * @throws KhError STORE_*
 */
export async function collectStore(store: Store, rules: GarbageRules, emit: Emit): Promise<Garbage> {
  const known = await listArchives(store);
  const collected = await collectGarbage(store, rules);
  const { workspaces, archives, indexes, busy, remainingBytes } = collected;
  for (const name of busy) emit({ type: 'warning', message: `${name} stays: another process works with it` });
  if (rules.maxBytes !== undefined && remainingBytes > rules.maxBytes) emit(tooMuch(remainingBytes));
  return {
    archives: archives.map(({ sha256, idle }) => {
      const { release = '', bytes = 0, treeBytes = 0 } = known.find((one) => one.sha256 === sha256) ?? {};
      return { sha256, release, bytes, treeBytes, lastUsed: timeOf(idle) };
    }),
    workspaces: workspaces.map(({ path, idle }) => ({ workspace: path, lastUsed: timeOf(idle) })),
    indexes: indexes.map(({ path, idle }) => ({ path, lastUsed: timeOf(idle) })),
    freedBytes: [...workspaces, ...archives, ...indexes].reduce((sum, { diskBytes }) => sum + diskBytes, 0),
    remainingBytes,
    removed: rules.dryRun !== true,
  };
}

function tooMuch(bytes: number) {
  const message = `the store still takes ${humanBytes(bytes)}: what was used within the last hour stays`;
  return { type: 'warning', message } as const;
}

function timeOf(idle: number): string {
  return new Date(Date.now() - idle).toISOString();
}
