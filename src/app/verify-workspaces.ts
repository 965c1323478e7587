import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { compareTree, type TreeDifference } from '../archive/compare-tree';
import { isErrno } from '../core/errors';
import type { Emit } from '../core/events';
import { ARCHIVE_LIMITS } from '../core/limits';
import { archivePath, treePath } from '../store/archives';
import type { Store } from '../store/layout';
import type { Workspace } from '../store/workspaces';

/** What checking a workspace again came to. */
export interface WorkspaceCheck {
  workspace: string;
  device: string;
  release: string;
  sha256: string;
  status: 'sound' | 'damaged';
  /** What is wrong, in words; empty where it is sound. */
  problems: string[];
}

/**
 * Checks workspaces again, byte by byte: the archive against its digests, the
 * tree against the archive. An archive that several share is read once.
 */
export async function verifyWorkspaces(
  store: Store,
  workspaces: Workspace[],
  { signal, emit }: { signal: AbortSignal; emit: Emit },
): Promise<WorkspaceCheck[]> {
  const problemsOf = new Map<string, string[]>();
  const checks: WorkspaceCheck[] = [];
  for (const { path, record } of workspaces) {
    const { sha256 } = record.archive;
    const problems = problemsOf.get(sha256) ?? (await findProblems(store, record.archive, signal));
    problemsOf.set(sha256, problems);
    const { name: device } = record.device;
    const { release } = record.kernel;
    if (problems.length > 0) {
      const message = `the workspace ${device} ${release} is damaged: \`kh pull --force\` makes it anew`;
      emit({ type: 'warning', message });
    }
    const status = problems.length === 0 ? 'sound' : 'damaged';
    checks.push({ workspace: path, device, release, sha256, status, problems });
  }
  return checks;
}

async function findProblems(
  store: Store,
  archive: { sha256: string; md5: string },
  signal: AbortSignal,
): Promise<string[]> {
  const path = archivePath(store, archive.sha256);
  const digests = await digestsOf(path, signal);
  if (digests === undefined) return [`${path} is missing`];
  if (digests.sha256 !== archive.sha256) return [`${path} has sha256 ${digests.sha256}`];
  if (digests.md5 !== archive.md5)
    return [`${path} has md5 ${digests.md5}, but was recorded with ${archive.md5}`];
  const tree = treePath(store, archive.sha256);
  return describeDifferences(await compareTree(path, tree, { signal, limits: ARCHIVE_LIMITS }));
}

async function digestsOf(
  path: string,
  signal: AbortSignal,
): Promise<{ md5: string; sha256: string } | undefined> {
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  try {
    await pipeline(
      createReadStream(path),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          md5.update(chunk);
          sha256.update(chunk);
        }
      },
      { signal },
    );
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  return { md5: md5.digest('hex'), sha256: sha256.digest('hex') };
}

/** The first few in full: a tree that a cleaner went through may lack thousands. */
function describeDifferences(differences: TreeDifference[]): string[] {
  const shown = differences.slice(0, 20).map(({ path, problem }) => `${path}: ${problem}`);
  const more = differences.length - shown.length;
  return more > 0 ? [...shown, `and ${more} more`] : shown;
}
