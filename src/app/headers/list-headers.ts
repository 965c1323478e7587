import type { HeadersIndex, IndexMember } from '../../archive/index/index-file';
import { globFilter } from '../../archive/search/globs';

/** A member of an archive, as it is listed. */
export interface ListedMember {
  path: string;
  kind: IndexMember['kind'];
  /** Permission bits in octal, as the archive has them: "0644". */
  mode: string;
  /** Of a file, in bytes. */
  size?: number;
  /** Of a link. */
  target?: string;
}

/** The members of an archive that were asked for. */
export interface HeadersList {
  /** The kernel that the archive is of. */
  release: string;
  members: ListedMember[];
}

/** The files and links that globs name, in the order of their paths; folders too where they are asked for. */
export function listHeaders(
  { release, members }: HeadersIndex,
  { globs, folders }: { globs: string[]; folders: boolean },
): HeadersList {
  const isMeant = globFilter(globs);
  const chosen = members.filter(({ kind, path }) => (folders || kind !== 'directory') && isMeant(path));
  return { release, members: chosen.map(listed).sort((one, other) => (one.path < other.path ? -1 : 1)) };
}

function listed(member: IndexMember): ListedMember {
  const { path, kind } = member;
  const mode = member.mode.toString(8).padStart(4, '0');
  if (member.kind === 'file') return { path, kind, mode, size: member.size };
  if (member.kind === 'symlink') return { path, kind, mode, target: member.target };
  return { path, kind, mode };
}
