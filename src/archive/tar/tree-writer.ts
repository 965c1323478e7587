import { chmodSync, closeSync, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs';
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
 * Makes files 0644, directories and, last of all, links. Small files take
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
      open = openSync(path, 'wx', 0o644);
      settleMode(path, 0o644);
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
      for (const { path, target } of links) symlinkSync(target, `${treePath}/${path}`);
      chmodSync(treePath, folderMode);
    }),
  };
}

function collision(cause: NodeJS.ErrnoException): KhError {
  return new KhError('ARCHIVE_UNSAFE', {
    message: `two names of the archive are one on this disk: ${cause.path ?? 'unknown'} is there already`,
    hint: 'Set KH_HOME to a case-sensitive volume.',
    cause,
  });
}
