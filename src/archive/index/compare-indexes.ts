import { globFilter } from '../search/globs';
import type { HeadersIndex, IndexMember } from './index-file';

/** A file or link that is not the same in two archives. */
export interface Difference {
  path: string;
  status: 'added' | 'removed' | 'changed';
  before?: Side;
  after?: Side;
}

/** What an archive has at a path; a folder counts for nothing. */
export type Side = Exclude<IndexMember, { kind: 'directory' }>;

export interface Comparison {
  /** In the order of their paths. */
  differences: Difference[];
  /** How many files and links are the same in both. */
  same: number;
}

/**
 * Compares the files and links of two archives, by what is in them.
 *
 * @throws KhError USAGE for what is no glob, STORE_IO
 */
export function compareIndexes(
  before: HeadersIndex,
  after: HeadersIndex,
  globs: readonly string[],
): Comparison {
  const isMeant = globFilter(globs);
  const [old, now] = [sidesOf(before, isMeant), sidesOf(after, isMeant)];
  const differences: Difference[] = [];
  let same = 0;
  for (const path of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const [was, is] = [old.get(path), now.get(path)];
    if (was === undefined) differences.push({ path, status: 'added', ...(is && { after: is }) });
    else if (is === undefined) differences.push({ path, status: 'removed', before: was });
    else if (areSame(was, is)) same += 1;
    else differences.push({ path, status: 'changed', before: was, after: is });
  }
  return { differences, same };

  function areSame(was: Side, is: Side): boolean {
    if (was.kind === 'symlink' || is.kind === 'symlink') {
      return was.kind === is.kind && 'target' in was && 'target' in is && was.target === is.target;
    }
    return was.size === is.size && contentOf(before, was).equals(contentOf(after, is));
  }
}

/** The bytes of a file; of a link, its target, as git has it. */
export function contentOf(index: HeadersIndex, side: Side): Buffer {
  if (side.kind === 'symlink') return Buffer.from(side.target);
  return index.read(side.offset, side.offset + side.size);
}

function sidesOf({ members }: HeadersIndex, isMeant: (path: string) => boolean): Map<string, Side> {
  return new Map(
    members.flatMap((member) =>
      member.kind !== 'directory' && isMeant(member.path) ? [[member.path, member] as const] : [],
    ),
  );
}
