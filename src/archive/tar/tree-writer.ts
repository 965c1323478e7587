import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../../core/disk-error';
import { KhError, isErrno } from '../../core/errors';
import type { DiskTraits } from './disk-traits';
import type { Admitted } from './member-policy';

export interface TreeWriter {
  /** Makes the folders, and opens the file that `write` goes to; links wait for `finish`. */
  make: (member: Admitted) => void;
  write: (piece: Buffer) => void;
  /** Closes the open file, if there is one. */
  endFile: () => void;
  /** Makes the links and gives the root its mode. */
  finish: () => void;
}

export interface WriterOptions {
  treePath: string;
  disk: DiskTraits;
  /** The mode of directories. */
  folderMode: number;
  /** What the work takes on disk, for the message when there is no room. */
  neededBytes?: number | undefined;
}

/**
 * Makes files, directories and, last of all, links, or copies of what they
 * lead to on a disk without links. Small files take
 * three system calls each, synchronously: a trip through the thread pool costs
 * more than the call.
 *
 * @throws KhError STORE_FULL, STORE_DENIED, STORE_IO, and ARCHIVE_UNSAFE when the disk takes two names for one
 */
export function treeWriter({ treePath, disk, folderMode, neededBytes }: WriterOptions): TreeWriter {
  const links: { path: string; target: string }[] = [];
  let open: number | undefined;
  const settleMode = disk.keepsModes ? () => undefined : chmodSync;

  const onDisk =
    <A extends unknown[]>(work: (...given: A) => void) =>
    (...given: A) => {
      try {
        work(...given);
      } catch (error) {
        throw isErrno(error, 'EEXIST') ? collision(error) : diskError(error, treePath, neededBytes);
      }
    };

  return {
    make: onDisk((member: Admitted) => {
      for (const folder of member.newFolders) {
        const path = `${treePath}/${folder}`;
        mkdirSync(path, folderMode);
        settleMode(path, folderMode);
      }
      if (member.kind === 'symlink') links.push(member);
      if (member.kind !== 'file') return;
      const path = `${treePath}/${member.path}`;
      open = openSync(path, 'wx', member.mode);
      settleMode(path, member.mode);
    }),
    write: onDisk((piece: Buffer) => {
      for (let at = 0; at < piece.length && open !== undefined;) at += writeSync(open, piece, at);
    }),
    endFile: onDisk(() => {
      if (open === undefined) return;
      const descriptor = open;
      open = undefined;
      closeSync(descriptor);
    }),
    finish: onDisk(() => {
      if (disk.hasLinks) for (const { path, target } of links) symlinkSync(target, `${treePath}/${path}`);
      else copyTargets(treePath, links);
      chmodSync(treePath, folderMode);
    }),
  };
}

/**
 * Puts a copy of the file that it leads to in the place of each link, through
 * other links too. A link to a folder, which no kernel build makes, cannot be
 * stood in for, and one that leads nowhere need not be.
 */
function copyTargets(treePath: string, links: { path: string; target: string }[]): void {
  let waiting = links;
  for (let last = Infinity; waiting.length < last;) {
    last = waiting.length;
    waiting = waiting.filter(({ path, target }) => {
      const from = join(treePath, path, '..', target);
      const stats = statSync(from, { throwIfNoEntry: false });
      if (stats?.isFile() !== true) return true;
      copyFileSync(from, join(treePath, path));
      return false;
    });
  }
  for (const { path, target } of waiting) {
    const folder = statSync(join(treePath, path, '..', target), { throwIfNoEntry: false });
    if (folder !== undefined) throw folderLinkError(path, target);
  }
}

function folderLinkError(path: string, target: string): KhError {
  return new KhError('STORE_DENIED', {
    message: `the archive links "${path}" to the folder "${target}", and this file system has no symbolic links`,
    hint: 'Set KH_HOME to a folder on another file system.',
    details: { path },
  });
}

function collision(cause: NodeJS.ErrnoException): KhError {
  return new KhError('ARCHIVE_UNSAFE', {
    message: `two names of the archive are one on this disk: ${cause.path ?? 'unknown'} is there already`,
    hint: 'Set KH_HOME to a case-sensitive volume.',
    cause,
  });
}
