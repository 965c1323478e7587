let users: number | undefined;

/**
 * Lets what this process and its children make from now on have the bits of
 * `mode`, whatever the user's umask. It is never narrower than the user's.
 *
 * Changes the umask of the whole process: make and compilers fill a shared
 * store as well as kh itself does. What goes elsewhere asks `userMode`.
 */
export function openUmask(mode: number): void {
  users ??= process.umask(0o077);
  process.umask(users & ~mode);
}

/** The mode of a file or folder that the user gets, as the umask would have it that kh was started with. */
export function userMode(mode: number): number {
  return users === undefined ? mode : mode & ~users;
}

/** The umask that kh was started with, where it has changed it since. */
export function userUmask(): number | undefined {
  return users;
}
