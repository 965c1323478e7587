import { KhError, type ErrorCode } from '../../core/errors';
import type { ArchiveLimits } from '../../core/limits';
import { KERNEL_BUILD_RECORD } from '../kernel-build';
import type { DiskTraits } from './disk-traits';
import type { TarMember } from './tar-reader';
import { resolveLinks, type TreeMap } from './tree-links';

/** A member that may be made: a path below the root, without `.`, `..` or an end slash; '' is the root itself. */
export type Admitted =
  | { kind: 'file'; path: string; size: number; mode: number; newFolders: string[] }
  | { kind: 'directory'; path: string; newFolders: string[] }
  | { kind: 'symlink'; path: string; target: string; newFolders: string[] };

export interface MemberPolicy {
  /**
   * Judges the next member. `newFolders` are the folders that it needs and
   * that do not exist yet, from the top down, its own path included.
   *
   * @throws KhError ARCHIVE_UNSAFE, ARCHIVE_LIMIT
   */
  admit: (member: TarMember) => Admitted;
  /**
   * Judges the links, which can be done only when the whole tree is known.
   *
   * @returns those that lead nowhere
   * @throws KhError ARCHIVE_UNSAFE
   */
  finish: () => { danglingLinks: string[] };
}

const OWNER_RUNS = 0o100;

/** Bytes of one component of a path: no common file system takes more. */
const LONGEST_COMPONENT = 255;

/**
 * What a headers archive may hold: files, folders, and links that stay in the
 * tree, each once, under names that mean the same to every system. Nothing is
 * ever made through a link, and links are made last. Files are 0644, as nobody
 * runs a header; in the archive of a kernel's build files, which is known by
 * its first member, those that its build runs are 0755.
 */
export function memberPolicy(
  limits: ArchiveLimits,
  disk: Pick<DiskTraits, 'foldsCase' | 'foldsUnicode'>,
): MemberPolicy {
  const tree: TreeMap = new Map([['', { kind: 'directory' }]]);
  const named = new Set<string>();
  const refuseTwin = twinCheck(disk);
  let entries = 0;
  let hasPrograms = false;

  function register(
    path: string,
    node: { kind: 'file' | 'directory' } | { kind: 'symlink'; target: string },
  ): void {
    refuseTwin(path);
    tree.set(path, node);
  }

  function needFolder(path: string, member: TarMember, created: string[]): void {
    const there = tree.get(path);
    if (there?.kind === 'directory') return;
    if (there?.kind === 'file') throw unsafe(member, 'lies below a name that the archive has as a file');
    if (there?.kind === 'symlink') throw unsafe(member, 'lies below a name that the archive has as a link');
    needFolder(folderOf(path), member, created);
    register(path, { kind: 'directory' });
    created.push(path);
  }

  function admit(member: TarMember): Admitted {
    entries += 1;
    if (entries > limits.entries)
      throw limit(`the archive has more than the ${limits.entries} entries allowed`);
    const kind = requireKind(member);
    const path = requirePath(member, limits);
    if (kind === 'file' && member.name.endsWith('/'))
      throw unsafe(member, 'is a file whose name ends in a slash');
    if (kind !== 'directory' && path === '')
      throw unsafe(member, 'stands for the root of the tree and is no directory');
    if (named.has(path)) throw unsafe(member, 'is in the archive twice');
    named.add(path);
    hasPrograms ||= entries === 1 && path === KERNEL_BUILD_RECORD;
    const newFolders: string[] = [];
    if (kind === 'directory') {
      const there = tree.get(path);
      if (there !== undefined && there.kind !== 'directory')
        throw unsafe(member, `is there as a ${there.kind} already`);
      needFolder(path, member, newFolders);
      return { kind, path, newFolders };
    }
    needFolder(folderOf(path), member, newFolders);
    if (tree.has(path)) throw unsafe(member, 'is there as a directory already');
    if (kind === 'file') {
      register(path, { kind });
      const mode = hasPrograms && ((member.mode ?? 0) & OWNER_RUNS) !== 0 ? 0o755 : 0o644;
      return { kind, path, size: member.size, mode, newFolders };
    }
    const target = requireTarget(member);
    register(path, { kind, target });
    return { kind, path, target, newFolders };
  }

  return { admit, finish: () => ({ danglingLinks: resolveLinks(tree) }) };
}

function requireKind(member: TarMember): Admitted['kind'] {
  const { type } = member;
  if (member.oddity !== undefined) throw unsafe(member, `${member.oddity}; headers are plain files`);
  if (type !== 'file' && type !== 'directory' && type !== 'symlink') {
    throw unsafe(
      member,
      `is ${REFUSED_TYPES[type ?? ''] ?? `of a kind that kh does not know`}; only files, directories and symbolic links are allowed`,
    );
  }
  if (type !== 'file' && member.size > 0) throw unsafe(member, `is a ${type} with contents of its own`);
  return type;
}

const REFUSED_TYPES: Record<string, string> = {
  link: 'a hard link',
  'character-device': 'a character device',
  'block-device': 'a block device',
  fifo: 'a FIFO',
  'contiguous-file': 'a contiguous file',
};

function requirePath(member: TarMember, limits: ArchiveLimits): string {
  const { name } = member;
  const bytes = Buffer.byteLength(name);
  if (bytes > limits.nameBytes) {
    throw limit(
      `the name of a member is ${bytes} bytes long, ${limits.nameBytes} are allowed: "${name.slice(0, 80)}…"`,
    );
  }
  if (name === '') throw unsafe(member, 'has no name');
  if (name.includes('\0')) throw unsafe(member, 'has a NUL in its name');
  if (name.includes('\\')) throw unsafe(member, 'has a backslash in its name');
  if (name.includes('\ufffd')) throw unsafe(member, 'has a name that is not UTF-8');
  if (name.startsWith('/')) throw unsafe(member, 'has an absolute name');
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw unsafe(member, 'climbs out of the tree with ".."');
  if (parts.length > limits.depth) {
    throw limit(`"${name}" lies ${parts.length} folders deep, ${limits.depth} are allowed`);
  }
  if (
    parts.some((part) => part.length * 3 > LONGEST_COMPONENT && Buffer.byteLength(part) > LONGEST_COMPONENT)
  ) {
    throw limit(`a component of "${name.slice(0, 300)}" is longer than ${LONGEST_COMPONENT} bytes`);
  }
  return parts.join('/');
}

function requireTarget(member: TarMember): string {
  const { linkname } = member;
  if (linkname === '') throw unsafe(member, 'is a link to nothing');
  if (Buffer.byteLength(linkname) > 4095)
    throw limit(`the target of the link "${member.name}" is longer than 4095 bytes`);
  if (linkname.includes('\0')) throw unsafe(member, 'has a NUL in its link target');
  if (linkname.includes('\\')) throw unsafe(member, 'has a backslash in its link target');
  if (linkname.includes('\ufffd')) throw unsafe(member, 'has a link target that is not UTF-8');
  if (linkname.startsWith('/')) throw unsafe(member, `is a link to the absolute path "${linkname}"`);
  return linkname;
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Refuses a path that this disk takes for one that it was given before. */
function twinCheck({ foldsCase, foldsUnicode }: Pick<DiskTraits, 'foldsCase' | 'foldsUnicode'>) {
  if (!foldsCase && !foldsUnicode) return () => undefined;
  const folded = new Map<string, string>();
  return (path: string) => {
    const composed = foldsUnicode ? path.normalize('NFD') : path;
    const key = foldsCase ? composed.toUpperCase().toLowerCase() : composed;
    const twin = folded.get(key);
    if (twin !== undefined) throw collision(path, twin);
    folded.set(key, path);
  };
}

function collision(path: string, twin: string): KhError {
  return new KhError('ARCHIVE_UNSAFE', {
    message: `"${path}" and "${twin}" are one name on this disk`,
    hint: 'Every kernel has header names that differ by case only. Set KH_HOME to a case-sensitive volume.',
    details: { member: path, twin },
  });
}

function unsafe(member: TarMember, what: string): KhError {
  return refusal('ARCHIVE_UNSAFE', `refused: member "${member.name}" ${what}`, member.name);
}

function limit(message: string): KhError {
  return refusal('ARCHIVE_LIMIT', message);
}

function refusal(code: ErrorCode, message: string, member?: string): KhError {
  return new KhError(code, {
    message,
    hint: 'No kernel build makes such an archive. Nothing of it was kept.',
    ...(member === undefined ? {} : { details: { member } }),
  });
}
