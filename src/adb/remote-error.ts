import { KhError, type ErrorCode } from '../core/errors';

/** Linux errno values, as the device reports them. */
const NOT_FOUND = [2 /* ENOENT */, 20 /* ENOTDIR */];
const DENIED = [1 /* EPERM */, 13 /* EACCES */];

/** adbd appends strerror(errno), which Android's libc has in English only. */
const PHRASES: [phrase: RegExp, code: ErrorCode][] = [
  [/permission denied|operation not permitted/i, 'REMOTE_DENIED'],
  [/no such file or directory|not a directory/i, 'REMOTE_NOT_FOUND'],
];

/** A failed file call on the device, by the errno that STA2 carries. */
export function remoteErrorOfErrno(path: string, errno: number): KhError {
  if (NOT_FOUND.includes(errno))
    return remoteError('REMOTE_NOT_FOUND', path, 'No such file or directory', { errno });
  if (DENIED.includes(errno)) return remoteError('REMOTE_DENIED', path, 'Permission denied', { errno });
  return remoteError('REMOTE_IO', path, `error ${errno}`, { errno });
}

/** A failed file call on the device, by the text of a sync FAIL. */
export function remoteErrorOfText(path: string, text: string): KhError {
  const code = PHRASES.find(([phrase]) => phrase.test(text))?.[1] ?? 'REMOTE_IO';
  return remoteError(code, path, text === '' ? 'the device gave no reason' : text, {});
}

/** What old devices answer for a file that is absent, and for one that may not be looked at. */
export function uncertainNotFound(path: string): KhError {
  return remoteError(
    'REMOTE_NOT_FOUND',
    path,
    'not there, or not to be seen (this device does not say which)',
    {
      certain: false,
    },
  );
}

function remoteError(code: ErrorCode, path: string, why: string, facts: Record<string, unknown>): KhError {
  return new KhError(code, { message: `${path}: ${why}`, details: { path, ...facts } });
}
