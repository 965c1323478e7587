import type { Emit } from '../core/events';
import type { Store } from '../store/layout';
import type { Workspace } from '../store/workspaces';
import { checkArchive } from './check-archive';
import { mendingOf } from './mending';

/** What checking a workspace again came to. */
export interface WorkspaceCheck {
  workspace: string;
  device: string;
  release: string;
  sha256: string;
  status: 'sound' | 'damaged';
  /** What is wrong, in words; empty where it is sound. */
  problems: string[];
  /** The command that makes it anew, where it is damaged. */
  mend?: string;
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
  const problemsIn = async (archive: { sha256: string; md5: string }) => {
    const found = await checkArchive(store, archive, signal);
    return [...found.archive, ...found.tree];
  };
  const checks: WorkspaceCheck[] = [];
  for (const { path, record } of workspaces) {
    const { archive, kernelBuild } = record;
    const problems: string[] = [];
    for (const one of [archive, ...(kernelBuild === undefined ? [] : [kernelBuild])]) {
      const found = problemsOf.get(one.sha256) ?? (await problemsIn(one));
      problemsOf.set(one.sha256, found);
      problems.push(...found);
    }
    const { name: device } = record.device;
    const { release } = record.kernel;
    const check = { workspace: path, device, release, sha256: archive.sha256, problems };
    if (problems.length === 0) {
      checks.push({ ...check, status: 'sound' });
      continue;
    }
    const mend = mendingOf(record);
    const message = `the workspace ${device} ${release} is damaged: \`${mend}\` makes it anew`;
    emit({ type: 'warning', message });
    checks.push({ ...check, status: 'damaged', mend });
  }
  return checks;
}
