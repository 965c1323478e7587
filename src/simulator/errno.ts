/** Linux error numbers and bionic's words for them, as far as a simulated device needs them. */
const ERRORS = {
  EPERM: [1, 'Operation not permitted'],
  ENOENT: [2, 'No such file or directory'],
  EIO: [5, 'I/O error'],
  ENOEXEC: [8, 'Exec format error'],
  EACCES: [13, 'Permission denied'],
  EEXIST: [17, 'File exists'],
  ENODEV: [19, 'No such device'],
  ENOTDIR: [20, 'Not a directory'],
  EISDIR: [21, 'Is a directory'],
  EINVAL: [22, 'Invalid argument'],
  ELOOP: [40, 'Too many symbolic links encountered'],
  ENOKEY: [126, 'Required key not available'],
  EKEYREJECTED: [129, 'Key was rejected by service'],
} as const satisfies Record<string, readonly [number, string]>;

export type Errno = keyof typeof ERRORS;

/** A system call that failed on a simulated device; the message is what strerror(3) says there. */
export class SystemCallError extends Error {
  readonly errno: Errno;
  readonly number: number;

  constructor(errno: Errno) {
    const [number, text] = ERRORS[errno];
    super(text);
    this.name = 'SystemCallError';
    this.errno = errno;
    this.number = number;
  }
}
