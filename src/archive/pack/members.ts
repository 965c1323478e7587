import { lstatSync, readdirSync, readlinkSync, type Dirent, type Stats } from 'node:fs';
import { isNativeError } from 'node:util/types';
import { KhError, isErrno } from '../../core/errors';
import type { GeneratorTraits } from './generator';

/** The folders that headers come from; the same one twice for a build in its source. */
export interface HeaderFolders {
  source: string;
  build: string;
  /** The kernel's name of the processor, as in `arch/arm64`. */
  arch: string;
}

/** One entry of the archive to be made. Names are bytes, one to a character (latin1), so that any order is bytewise. */
export interface Member {
  /** Below the root, without a slash at the end; '' is the root itself. */
  name: string;
  kind: 'file' | 'directory' | 'symlink';
  mode: number;
  /** Which of the two folders it comes from. */
  origin: 'source' | 'build';
  /** Where a link leads. */
  target?: string;
}

/** The version of a build is written last: a kernel's own archive is made before. */
const WRITTEN_TOO_LATE = 'include/generated/utsversion.h';

/**
 * Lists what the archive of a kernel build holds, in its order.
 *
 * Entries that are neither files, folders nor links have no place in it.
 *
 * @throws KhError USAGE where a folder cannot be read
 */
export function listMembers(folders: HeaderFolders, generator: GeneratorTraits): Member[] {
  const { selection, modes } = generator;
  const isOneFolder = folders.source === folders.build && selection !== 'split';
  // Folders that the generator makes on its way follow the builder's umask, as this one of the build does.
  const impliedMode =
    modes === 'fixed' ? FIXED_MODES.directory : keptMode(folders.build, 'include/generated');
  const members = new Map<string, Member>();
  const root: Member = { name: '', kind: 'directory', mode: impliedMode, origin: 'build' };
  members.set('', root);
  for (const origin of isOneFolder ? (['build'] as const) : ORIGINS) {
    for (const found of findIn({ path: folders[origin], origin, arch: folders.arch, selection, modes })) {
      if (origin === 'build' && generator.precedence === 'source' && members.has(found.name)) continue;
      addFolders(members, found, impliedMode);
      members.set(found.name, found);
    }
  }
  if (generator.ownScript !== undefined) {
    const script = memberAt(folders.source, generator.ownScript, 'file', { origin: 'source', modes });
    addFolders(members, script, impliedMode);
    members.set(script.name, script);
  }
  return inOrder([...members.values()].filter(staysIn(generator)), generator.order);
}

const ORIGINS = ['source', 'build'] as const;

/** Folders above a member that no rule lists, as cpio makes them on its way. */
function addFolders(members: Map<string, Member>, { name, origin }: Member, mode: number): void {
  for (let end = name.lastIndexOf('/'); end !== -1; end = name.lastIndexOf('/', end - 1)) {
    const folder = name.slice(0, end);
    if (members.has(folder)) return;
    members.set(folder, { name: folder, kind: 'directory', mode, origin });
  }
}

/** What is left out last, when its folders are there already. */
function staysIn({ leavesRemoteLeftovers }: GeneratorTraits): (member: Member) => boolean {
  return ({ name }) =>
    name !== WRITTEN_TOO_LATE && !(leavesRemoteLeftovers && /(^|\/)\.(nfs|__afs)/.test(name));
}

function inOrder(members: Member[], order: GeneratorTraits['order']): Member[] {
  // A slash that sorts before everything gives the order of a walk through sorted folders.
  const key = (name: string) => (order === 'tree' ? name.replaceAll('/', '\0') : name);
  return members
    .map((member) => ({ member, key: key(member.name) }))
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .map(({ member }) => member);
}

interface Search {
  path: string;
  origin: Member['origin'];
  arch: string;
  selection: GeneratorTraits['selection'];
  modes: GeneratorTraits['modes'];
}

/** What `find` gives the generator for one of the two folders. */
function* findIn(search: Search): Generator<Member> {
  const { path, origin, arch, selection } = search;
  const latin1Arch = Buffer.from(arch).toString('latin1');
  for (const top of ['include', `arch/${latin1Arch}/include`]) {
    const generated = `${top}/generated`;
    const start = selection === 'split' && origin === 'build' ? generated : top;
    const prune = selection === 'split' && origin === 'source' ? generated : undefined;
    if (selection === 'all' && statOf(path, start)?.isDirectory() === true)
      yield memberAt(path, start, 'directory', search);
    yield* walk(search, start, prune);
  }
}

function* walk(search: Search, folder: string, prune: string | undefined): Generator<Member> {
  for (const entry of entriesOf(search.path, folder)) {
    const name = `${folder}/${entry.name}`;
    if (name === prune) continue;
    const kind = kindOf(entry);
    if (kind === undefined) continue;
    if (isWanted(entry.name, search.selection)) yield memberAt(search.path, name, kind, search);
    if (kind === 'directory') yield* walk(search, name, prune);
  }
}

function isWanted(name: string, selection: GeneratorTraits['selection']): boolean {
  return selection === 'all' ? !name.startsWith('.') && !name.endsWith('.cmd') : name.endsWith('.h');
}

function kindOf(entry: Dirent): Member['kind'] | undefined {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'symlink' : undefined;
}

const FIXED_MODES = { file: 0o644, directory: 0o755, symlink: 0o644 };

function memberAt(
  path: string,
  name: string,
  kind: Member['kind'],
  { origin, modes }: Pick<Search, 'origin' | 'modes'>,
): Member {
  const mode = modes === 'fixed' ? FIXED_MODES[kind] : keptMode(path, name);
  const member: Member = { name, kind, mode, origin };
  return kind === 'symlink' ? { ...member, target: readlinkSync(pathOf(path, name), 'latin1') } : member;
}

function keptMode(path: string, name: string): number {
  return (statOf(path, name)?.mode ?? 0) & 0o7777;
}

function statOf(path: string, name: string): Stats | undefined {
  return lstatSync(pathOf(path, name), { throwIfNoEntry: false });
}

/** A folder that is not there has no entries: a source has none that are generated. */
function entriesOf(path: string, folder: string): Dirent[] {
  try {
    return readdirSync(pathOf(path, folder), { withFileTypes: true, encoding: 'latin1' });
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return [];
    throw unreadable(pathOf(path, folder), cause);
  }
}

/** The path of a member on disk; as bytes where its name need not be UTF-8. */
export function pathOf(root: string, name: string): string | Buffer {
  if (/^[\x20-\x7e]*$/.test(name)) return `${root}/${name}`;
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, 'latin1')]);
}

/** @returns a KhError USAGE for a part of the build that cannot be read */
export function unreadable(path: string | Buffer, cause: unknown): KhError {
  const why = isNativeError(cause) ? cause.message : String(cause);
  return new KhError('USAGE', {
    message: `the kernel build cannot be read: ${why}`,
    hint: 'Check who may read it, and that no build is at work there.',
    details: { path: path.toString() },
    cause,
  });
}
