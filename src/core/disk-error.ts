import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { isNativeError } from 'node:util/types';
import { KhError, NO_LINKS, isErrno } from './errors';
import { humanBytes } from './human';

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
  if (error instanceof KhError) return error;
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) return fullError(error, path, needed);
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
      hint: 'Check who owns the folder, or set KH_HOME to one that you may write to.',
      details: { path, errno: code },
      cause,
    });
  }
  const why = isNativeError(error) ? error.message : String(error);
  return new KhError('STORE_IO', {
    message: `a file operation failed on ${path}: ${why}`,
    hint: HINTS[code ?? ''],
    details: { path, ...(code === undefined ? {} : { errno: code }) },
    cause,
  });
}

const HINTS: Record<string, string> = {
  EEXIST: 'A file stands where a folder is needed: set KH_HOME to a folder.',
  ENOTDIR: 'A file stands where a folder is needed: set KH_HOME to a folder.',
  EXDEV: 'Parts of KH_HOME lie on different file systems: keep all of v1 on one.',
  EMFILE: 'Too many files are open: raise the limit (ulimit -n), or lower --jobs.',
  ENFILE: 'Too many files are open on this machine.',
  EIO: 'The disk reports an error: look at the system log.',
  ENAMETOOLONG: 'Set KH_HOME to a folder with a shorter path.',
};

function fullError(cause: NodeJS.ErrnoException, path: string, needed: number | undefined): KhError {
  const free = freeBytes(path);
  const room = [
    ...(needed === undefined ? [] : [`${humanBytes(needed)} needed`]),
    ...(free === undefined ? [] : [`${humanBytes(free)} free`]),
  ];
  const why = cause.code === 'EDQUOT' ? 'the disk quota is used up' : 'no space left on the disk';
  return new KhError('STORE_FULL', {
    message: `${why} that holds ${path}${room.length === 0 ? '' : ` (${room.join(', ')})`}`,
    hint: 'Free some space there (`kh store gc` removes what no workspace uses), or set KH_HOME to a folder on a larger disk.',
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
