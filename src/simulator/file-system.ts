import { posix } from 'node:path';
import { SystemCallError } from './errno';

/** The user that adbd's shell runs as. */
export const SHELL_UID = 2000;
export const ROOT_UID = 0;

/** What files of the kernel hand out in one read(2). */
export const KERNEL_PAGE = 4096;
const LARGEST_READ = 65536;

interface Common {
  /** Permission bits. */
  mode: number;
  uid: number;
  /** Seconds since the epoch. */
  mtime: number;
  /** Denied to all but root, stat included, whatever the mode says: where a phone has SELinux. */
  denied?: boolean;
}

export interface FileNode extends Common {
  kind: 'file';
  /** A function where the content is made when the file is opened, as in procfs. */
  content: Buffer | (() => Buffer);
  /** The most that one read(2) gives. */
  pageSize?: number;
  /** Set when the module behind the file is unloaded: reads in progress fail from then on. */
  gone?: boolean;
}

export interface DirectoryNode extends Common {
  kind: 'directory';
  entries: Map<string, Node>;
  /** Entries that come and go by themselves, as process folders do. */
  passing?: () => [string, Node][];
}

export interface LinkNode extends Common {
  kind: 'link';
  target: string;
}

export type Node = FileNode | DirectoryNode | LinkNode;

export interface Stat {
  kind: Node['kind'];
  mode: number;
  uid: number;
  size: number;
  mtime: number;
}

export interface OpenFile {
  size: number;
  /** One read(2) at `offset`; empty at the end. @throws SystemCallError ENODEV */
  read(offset: number): Buffer;
  /** All of it, without a copy. @throws SystemCallError ENODEV */
  readAll(): Buffer;
}

const MOST_LINKS = 8;
const BOOT_TIME = 1_704_067_200;

/** @returns a node as the system's own files are: owned by root, readable to all. */
export function systemFile(content: FileNode['content'], more: Partial<FileNode> = {}): FileNode {
  return { kind: 'file', content, mode: 0o444, uid: ROOT_UID, mtime: BOOT_TIME, ...more };
}

export function directory(more: Partial<DirectoryNode> = {}): DirectoryNode {
  return {
    kind: 'directory',
    entries: new Map<string, Node>(),
    mode: 0o755,
    uid: ROOT_UID,
    mtime: BOOT_TIME,
    ...more,
  };
}

export function link(target: string): LinkNode {
  return { kind: 'link', target, mode: 0o777, uid: ROOT_UID, mtime: BOOT_TIME };
}

/**
 * The files of one device, in memory. Paths are absolute; every call says
 * which user asks, and throws SystemCallError as the kernel would.
 */
export class FileSystem {
  readonly root = directory();

  /** Puts a node in place, with the folders above it, whoever may write there. */
  install(path: string, node: Node): void {
    let folder = this.root;
    for (const name of names(posix.dirname(path))) {
      let next = folder.entries.get(name);
      if (next?.kind !== 'directory') {
        next = directory();
        folder.entries.set(name, next);
      }
      folder = next;
    }
    folder.entries.set(posix.basename(path), node);
  }

  /** Takes a node away, whoever may do that; nothing happens where there is none. */
  uninstall(path: string): void {
    const folder = this.#find(posix.dirname(path), ROOT_UID, true, 0);
    if (folder?.kind === 'directory') folder.entries.delete(posix.basename(path));
  }

  /** Gives a folder entries that are made when it is looked at, besides those that it has. */
  addPassing(path: string, passing: () => [string, Node][]): void {
    const existing = this.#find(path, ROOT_UID, true, 0);
    const folder = existing?.kind === 'directory' ? existing : directory();
    folder.passing = passing;
    this.install(path, folder);
  }

  stat(path: string, uid: number, { follow = true } = {}): Stat {
    const node = this.#lookUp(path, uid, follow);
    if (node.denied && uid !== ROOT_UID) throw new SystemCallError('EACCES');
    const { kind, mode, uid: owner, mtime } = node;
    return { kind, mode, uid: owner, mtime, size: sizeOf(node) };
  }

  /** Whether anything is there, for whoever may look. */
  exists(path: string): boolean {
    return this.#find(path, ROOT_UID, true, 0) !== undefined;
  }

  readLink(path: string, uid: number): string {
    const node = this.#lookUp(path, uid, false);
    if (node.kind !== 'link') throw new SystemCallError('EINVAL');
    return node.target;
  }

  /** access(2) */
  allows(path: string, uid: number, wish: 'read' | 'write' | 'execute'): boolean {
    try {
      return permits(this.#lookUp(path, uid, true), uid, WISHES[wish]);
    } catch (error) {
      if (error instanceof SystemCallError) return false;
      throw error;
    }
  }

  /** The names in a folder, in the order of their bytes. */
  list(path: string, uid: number): string[] {
    const folder = this.#lookUp(path, uid, true);
    if (folder.kind !== 'directory') throw new SystemCallError('ENOTDIR');
    if (!permits(folder, uid, WISHES.read)) throw new SystemCallError('EACCES');
    const passing = folder.passing?.().map(([name]) => name) ?? [];
    return [...folder.entries.keys(), ...passing].sort((one, other) => (one < other ? -1 : 1));
  }

  open(path: string, uid: number): OpenFile {
    const node = this.#lookUp(path, uid, true);
    if (!permits(node, uid, WISHES.read)) throw new SystemCallError('EACCES');
    if (node.kind !== 'file') throw new SystemCallError('EISDIR');
    const content = typeof node.content === 'function' ? node.content() : node.content;
    const page = node.pageSize ?? LARGEST_READ;
    const readAll = () => {
      if (node.gone) throw new SystemCallError('ENODEV');
      return content;
    };
    return { size: content.length, readAll, read: (offset) => readAll().subarray(offset, offset + page) };
  }

  read(path: string, uid: number): Buffer {
    return this.open(path, uid).readAll();
  }

  write(path: string, content: Buffer, uid: number, mode = 0o644): void {
    const folder = this.#folderOf(path, uid);
    const name = posix.basename(path);
    const existing = folder.entries.get(name);
    if (existing?.kind === 'directory') throw new SystemCallError('EISDIR');
    if (existing === undefined) {
      if (!permits(folder, uid, WISHES.write)) throw new SystemCallError('EACCES');
      folder.entries.set(name, { kind: 'file', content, mode, uid, mtime: now() });
      return;
    }
    if (!permits(existing, uid, WISHES.write)) throw new SystemCallError('EACCES');
    if (existing.kind === 'link') {
      this.write(posix.resolve(posix.dirname(path), existing.target), content, uid, mode);
      return;
    }
    Object.assign(existing, { content, mtime: now() });
  }

  makeDirectory(path: string, uid: number, mode = 0o755): void {
    const folder = this.#folderOf(path, uid);
    if (folder.entries.has(posix.basename(path))) throw new SystemCallError('EEXIST');
    if (!permits(folder, uid, WISHES.write)) throw new SystemCallError('EACCES');
    folder.entries.set(posix.basename(path), directory({ uid, mode, mtime: now() }));
  }

  changeMode(path: string, mode: number, uid: number): void {
    const node = this.#lookUp(path, uid, true);
    if (uid !== ROOT_UID && node.uid !== uid) throw new SystemCallError('EPERM');
    node.mode = mode;
  }

  remove(path: string, uid: number, { recursive = false } = {}): void {
    const folder = this.#folderOf(path, uid);
    const node = folder.entries.get(posix.basename(path));
    if (node === undefined) throw new SystemCallError('ENOENT');
    if (!permits(folder, uid, WISHES.write)) throw new SystemCallError('EACCES');
    if (node.kind === 'directory' && !recursive) throw new SystemCallError('EISDIR');
    folder.entries.delete(posix.basename(path));
  }

  #folderOf(path: string, uid: number): DirectoryNode {
    const folder = this.#lookUp(posix.dirname(path), uid, true);
    if (folder.kind !== 'directory') throw new SystemCallError('ENOTDIR');
    return folder;
  }

  #lookUp(path: string, uid: number, follow: boolean): Node {
    const node = this.#find(path, uid, follow, 0);
    if (node === undefined) throw new SystemCallError('ENOENT');
    return node;
  }

  #find(path: string, uid: number, follow: boolean, links: number): Node | undefined {
    if (links > MOST_LINKS) throw new SystemCallError('ELOOP');
    const parts = names(path);
    let node: Node = this.root;
    for (const [index, name] of parts.entries()) {
      if (node.kind !== 'directory') throw new SystemCallError('ENOTDIR');
      if (!permits(node, uid, WISHES.execute)) throw new SystemCallError('EACCES');
      const next: Node | undefined =
        node.entries.get(name) ?? node.passing?.().find(([passing]) => passing === name)?.[1];
      if (next === undefined) return undefined;
      const last = index === parts.length - 1;
      if (next.kind === 'link' && (follow || !last)) {
        const folder = `/${parts.slice(0, index).join('/')}`;
        const target = posix.resolve(folder, next.target, ...parts.slice(index + 1));
        return this.#find(target, uid, follow, links + 1);
      }
      node = next;
    }
    return node;
  }
}

const WISHES = { read: 4, write: 2, execute: 1 } as const;

function permits(node: Node, uid: number, bit: number): boolean {
  if (uid === ROOT_UID) return true;
  if (node.denied) return false;
  return ((node.uid === uid ? node.mode >> 6 : node.mode) & bit) !== 0;
}

function sizeOf(node: Node): number {
  if (node.kind === 'link') return node.target.length;
  if (node.kind === 'directory') return KERNEL_PAGE;
  return typeof node.content === 'function' ? 0 : node.content.length;
}

function names(path: string): string[] {
  return posix
    .resolve('/', path)
    .split('/')
    .filter((name) => name !== '');
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
