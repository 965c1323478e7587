import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { compareTree, type TreeDifference } from '../archive/compare-tree';
import { diskError } from '../core/disk-error';
import { KhError, isErrno } from '../core/errors';
import { ARCHIVE_LIMITS } from '../core/limits';
import { archivePath, treePath } from '../store/archives';
import type { Store } from '../store/layout';

/** What is wrong with an archive of the store and with its tree, in words; nothing where they are sound. */
export interface ArchiveProblems {
  archive: string[];
  /** Against the archive; nothing is known of it where the archive itself is wrong. */
  tree: string[];
}

export interface Digests {
  sha256: string;
  /** Undefined where nothing tells. */
  md5: string | undefined;
}

/**
 * Checks an archive byte by byte against its digests, and its tree against the archive.
 *
 * @throws KhError XZ_UNAVAILABLE, STORE_DENIED, STORE_IO; or the signal's reason
 */
export async function checkArchive(
  store: Store,
  { sha256, md5 }: Digests,
  signal: AbortSignal,
): Promise<ArchiveProblems> {
  const path = archivePath(store, sha256);
  const wrong = (problem: string) => ({ archive: [`${path} ${problem}`], tree: [] });
  const found = await digestsOf(path, signal);
  if (found === undefined) return wrong('is missing');
  if (found.sha256 !== sha256) return wrong(`has sha256 ${found.sha256}`);
  if (md5 !== undefined && found.md5 !== md5) {
    return wrong(`has md5 ${found.md5}, but was recorded with ${md5}`);
  }
  try {
    const differences = await compareTree(path, treePath(store, sha256), {
      folderMode: store.modes.treeFolder,
      limits: ARCHIVE_LIMITS,
      signal,
    });
    return { archive: [], tree: describeDifferences(differences) };
  } catch (error) {
    if (!(error instanceof KhError && error.code.startsWith('ARCHIVE_'))) throw error;
    return wrong(`is what was put there, but no archive: ${error.reason}`);
  }
}

/** What the bytes of a file are; undefined where there is none. @throws KhError STORE_*; or the signal's reason */
export async function digestsOf(
  path: string,
  signal: AbortSignal,
): Promise<{ md5: string; sha256: string; bytes: number } | undefined> {
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path, { signal })) {
      md5.update(chunk as Buffer);
      sha256.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw signal.aborted ? signal.reason : diskError(error, path);
  }
  return { md5: md5.digest('hex'), sha256: sha256.digest('hex'), bytes };
}

/** The first few in full: a tree that a cleaner went through may lack thousands. */
function describeDifferences(differences: TreeDifference[]): string[] {
  const shown = differences.slice(0, 20).map(({ path, problem }) => `${path}: ${problem}`);
  const more = differences.length - shown.length;
  return more > 0 ? [...shown, `and ${more} more`] : shown;
}
