import { lstatSync, readFileSync, readdirSync, readlinkSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../core/disk-error';
import { isErrno } from '../core/errors';
import type { ArchiveLimits } from '../core/limits';
import { memberPolicy, type Admitted } from './tar/member-policy';
import { tarReader } from './tar/tar-reader';
import { archiveChunks } from './unpack-archive';
import { decodeXz } from './xz/decode-xz';

/** One place where a tree is not what its archive makes. */
export interface TreeDifference {
  /** Below the tree; '.' for the tree itself. */
  path: string;
  /** "missing", "not in the archive", "content differs", "mode is 0600, not 0644", … */
  problem: string;
}

interface CompareOptions {
  limits: ArchiveLimits;
  /** The mode that the tree's directories were given (default 0755). */
  folderMode?: number | undefined;
}

/**
 * Compares a tree with the archive that it came from, entry by entry:
 * presence, kind, content, mode and link target.
 *
 * @returns the differences, sorted by path; none when the tree is as unpacked
 * @throws KhError ARCHIVE_* when the archive itself is bad, XZ_UNAVAILABLE, STORE_DENIED, STORE_IO
 */
export async function compareTree(
  archivePath: string,
  treePath: string,
  options: CompareOptions & { signal: AbortSignal },
): Promise<TreeDifference[]> {
  const { limits, signal } = options;
  const comparison = treeComparison(treePath, options);
  const tar = decodeXz(archiveChunks(archivePath), {
    memoryLimit: limits.decoderMemoryBytes,
    outputLimit: limits.unpackedBytes,
    signal,
  });
  for await (const chunk of tar) {
    signal.throwIfAborted();
    comparison.push(chunk);
  }
  return comparison.finish().sort((one, other) => (one.path < other.path ? -1 : 1));
}

function treeComparison(treePath: string, { limits, folderMode = 0o755 }: CompareOptions) {
  const policy = memberPolicy(limits, { foldsCase: false, foldsUnicode: false });
  const differences: TreeDifference[] = [];
  const known = new Set<string>();
  const links: Extract<Admitted, { kind: 'symlink' }>[] = [];
  let open: { path: string; found: Buffer; at: number; same: boolean } | undefined;

  const report = (path: string, problem: string) =>
    differences.push({ path: path === '' ? '.' : path, problem });

  function compareMember(member: Admitted): void {
    for (const folder of ['', ...member.newFolders]) {
      if (known.has(folder)) continue;
      known.add(folder);
      compareNode(folder, 'directory', folderMode);
    }
    if (member.kind === 'directory') return;
    known.add(member.path);
    if (member.kind === 'symlink') links.push(member);
    if (member.kind !== 'file' || !compareNode(member.path, member.kind, member.mode)) return;
    open = { path: member.path, found: readFileSync(`${treePath}/${member.path}`), at: 0, same: true };
  }

  /** Disks without links have a copy of the file in the place of each link, and nothing for one that leads nowhere. */
  function compareLink({ path, target }: Extract<Admitted, { kind: 'symlink' }>): void {
    if (standsFor(treePath, path, target) || !compareNode(path, 'symlink', 0)) return;
    const actual = readlinkSync(`${treePath}/${path}`);
    if (actual !== target) report(path, `links to "${actual}", not to "${target}"`);
  }

  /** @returns whether the same kind of thing is there, so that looking into it makes sense. */
  function compareNode(path: string, kind: Admitted['kind'], mode: number): boolean {
    const stats = statsOf(`${treePath}/${path}`);
    const problem = nodeProblem(stats, kind, mode);
    if (problem !== undefined) report(path, problem);
    return stats !== undefined && kindOf(stats) === kind;
  }

  function compareContent(piece: Buffer): void {
    if (open === undefined) return;
    open.same &&= open.found.subarray(open.at, open.at + piece.length).equals(piece);
    open.at += piece.length;
  }

  function endMember(): void {
    if (open !== undefined && !(open.same && open.at === open.found.length))
      report(open.path, 'content differs');
    open = undefined;
  }

  const reader = tarReader({
    member: (member) => compareMember(policy.admit(member)),
    content: compareContent,
    endMember,
  });
  const onDisk = underStoreErrors(treePath);
  return {
    push: (chunk: Buffer) => onDisk(() => reader.push(chunk)),
    finish: () => {
      reader.finish();
      onDisk(() => links.forEach(compareLink));
      const isThere = onDisk(() => statsOf(treePath)?.isDirectory() ?? false);
      for (const path of onDisk(() => (isThere ? pathsIn(treePath) : []))) {
        if (!known.has(path)) report(path, 'not in the archive');
      }
      return differences;
    },
  };
}

/** Whether what is in the place of a link is a file like the one that it leads to; or nothing, where that is not there either. */
function standsFor(treePath: string, path: string, target: string): boolean {
  const copy = `${treePath}/${path}`;
  const original = join(copy, '..', target);
  const [one, two] = [statsOf(copy), statSync(original, { throwIfNoEntry: false })];
  if (one === undefined || two === undefined) return one === two;
  return one.isFile() && two.isFile() && readFileSync(copy).equals(readFileSync(original));
}

function nodeProblem(stats: Stats | undefined, kind: Admitted['kind'], expected: number): string | undefined {
  if (stats === undefined) return 'missing';
  if (kindOf(stats) !== kind) return `is a ${kindOf(stats)}, not a ${kind}`;
  const mode = stats.mode & (kind === 'directory' ? WITHOUT_SETGID : 0o7777);
  return kind === 'symlink' || mode === expected
    ? undefined
    : `mode is ${octal(mode)}, not ${octal(expected)}`;
}

/** A directory has it from the one that it is made in. */
const WITHOUT_SETGID = 0o5777;

/** Lets work on the disk fail with the errors of the store. */
function underStoreErrors(path: string) {
  return <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw diskError(error, path);
    }
  };
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function kindOf(stats: Stats): Admitted['kind'] | 'special file' {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'special file';
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** Everything below a folder; links are named, not followed. */
function pathsIn(root: string, below = ''): string[] {
  const paths: string[] = [];
  for (const entry of readdirSync(`${root}/${below}`, { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    paths.push(path, ...(entry.isDirectory() ? pathsIn(root, path) : []));
  }
  return paths;
}
