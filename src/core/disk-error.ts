import { statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isNativeError } from 'node:util/types';
import { KhError, NO_LINKS, isErrno } from './errors';
import { humanBytes } from './human';

/** How messages name the way out: another home for the store, or another place for a result. */
interface Advice {
  elsewhere: string;
  /** How space is given back; ends where a comma may follow. */
  free: string;
}

const STORE: Advice = {
  elsewhere: 'set KH_HOME to a folder',
  free: 'Free some space there (`kh store gc` removes what no workspace uses)',
};
const OUTPUT: Advice = { elsewhere: 'name a folder', free: 'Free some space there' };

/**
 * What a failed file call on this machine means to the person who meets it:
 * STORE_FULL, STORE_DENIED or STORE_IO, with the path. A KhError comes back as
 * it is, so that a `catch` around a longer piece of work can hand over all it
 * catches.
 *
 * @param path what was being written or read
 * @param needed bytes the work needs in all, where that is known
 */
export function diskError(error: unknown, path: string, needed?: number): KhError {
  return explain(error, path, needed, STORE);
}

/** As `diskError`, of a result that goes where the user said: KH_HOME has no part in it. */
export function outputError(error: unknown, path: string, needed?: number): KhError {
  return explain(error, path, needed, OUTPUT);
}

function explain(error: unknown, path: string, needed: number | undefined, advice: Advice): KhError {
  if (error instanceof KhError) return error;
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) return fullError(error, path, needed, advice);
  const code = isNativeError(error) && 'code' in error ? String(error.code) : undefined;
  const cause = error;
  if (isErrno(error, ...NO_LINKS) && error.syscall === 'symlink') {
    return new KhError('STORE_DENIED', {
      message: `cannot use ${path}: its file system has no symbolic links`,
      hint: 'Headers can be pulled there, but building modules takes links: set KH_HOME to a folder on another file system.',
      details: { path, errno: code },
      cause,
    });
  }
  if (isErrno(error, 'EACCES', 'EPERM', 'EROFS')) {
    const why = code === 'EROFS' ? 'the file system is read-only' : 'permission denied';
    return new KhError('STORE_DENIED', {
      message: `cannot use ${path}: ${why}`,
      hint: `Check who owns the folder, or ${advice.elsewhere} that you may write to.`,
      details: { path, errno: code },
      cause,
    });
  }
  return new KhError('STORE_IO', {
    ...failedCall(error, path, advice),
    details: { path, ...(code === undefined ? {} : { errno: code }) },
    cause,
  });
}

function failedCall(error: unknown, path: string, advice: Advice): { message: string; hint?: string } {
  const { elsewhere } = advice;
  if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EEXIST')) {
    const wanted = resolve(error.path ?? path);
    const parent = dirname(wanted);
    const { place, isFolder } = nearest(wanted);
    if (!isFolder) {
      const message = `cannot use ${path}: ${place} is a file`;
      return { message, hint: `A file stands where a folder is needed: ${elsewhere}.` };
    }
    if (error.code === 'ENOENT' && place !== parent && place !== wanted) {
      const message = `cannot use ${path}: there is no folder ${parent}`;
      return { message, hint: `Make it first, or ${elsewhere} that is there.` };
    }
    const making = error.syscall === 'mkdir' || advice === OUTPUT;
    if (error.code === 'ENOENT' && making && place === parent) {
      const message = `cannot use ${path}: nothing can be made in ${parent}`;
      return { message, hint: `Its file system takes no files from users: ${elsewhere} elsewhere.` };
    }
  }
  const code = isNativeError(error) && 'code' in error ? String(error.code) : '';
  const message = `a file operation failed on ${path}: ${isNativeError(error) ? error.message : String(error)}`;
  const hint =
    code === 'EEXIST' || code === 'ENOTDIR'
      ? `A file stands where a folder is needed: ${elsewhere}.`
      : HINTS[code];
  return { message, ...(hint === undefined ? {} : { hint }) };
}

/** The path, or the folder above it that is there. */
function nearest(path: string): { place: string; isFolder: boolean } {
  for (let place = path; ; place = dirname(place)) {
    try {
      return { place, isFolder: statSync(place).isDirectory() };
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR') || place === dirname(place)) return { place, isFolder: true };
    }
  }
}

const HINTS: Record<string, string> = {
  EXDEV: 'Parts of KH_HOME lie on different file systems: keep all of v1 on one.',
  EMFILE: 'Too many files are open: raise the limit (ulimit -n), or lower --jobs.',
  ENFILE: 'Too many files are open on this machine.',
  EIO: 'The disk reports an error: look at the system log.',
  ENAMETOOLONG: 'Set KH_HOME to a folder with a shorter path.',
};

function fullError(
  cause: NodeJS.ErrnoException,
  path: string,
  needed: number | undefined,
  { elsewhere, free: freeing }: Advice,
): KhError {
  const free = freeBytes(path);
  const room = [
    ...(needed === undefined ? [] : [`${humanBytes(needed)} needed`]),
    ...(free === undefined ? [] : [`${humanBytes(free)} free`]),
  ];
  const why = cause.code === 'EDQUOT' ? 'the disk quota is used up' : 'no space left on the disk';
  return new KhError('STORE_FULL', {
    message: `${why} that holds ${path}${room.length === 0 ? '' : ` (${room.join(', ')})`}`,
    hint: `${freeing}, or ${elsewhere} on a larger disk.`,
    details: {
      path,
      ...(needed === undefined ? {} : { neededBytes: needed }),
      ...(free === undefined ? {} : { freeBytes: free }),
    },
    cause,
  });
}

/** Bytes that this user may still write where `path` is, or would be; undefined where nobody can tell. */
function freeBytes(path: string): number | undefined {
  for (let place = path; ; place = dirname(place)) {
    try {
      const { bavail, bsize } = statfsSync(place);
      return bavail * bsize;
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR') || place === dirname(place)) return undefined;
    }
  }
}
