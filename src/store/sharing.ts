import { stat } from 'node:fs/promises';
import { KhError } from '../core/errors';

/** The modes that a store gives to what it makes; the umask may take from them. */
export interface StoreModes {
  /** Whether all users of the home's group work in it. */
  shared: boolean;
  folder: number;
  file: number;
  /** Of the folders of a tree. Who removes a tree must be able to write to each of them. */
  treeFolder: number;
}

export const PRIVATE: StoreModes = { shared: false, folder: 0o700, file: 0o600, treeFolder: 0o755 };

const SETGID = 0o2000;
const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/**
 * How the folder of a store is to be used. One that has the setgid bit and
 * that its group may write to is shared by that group: setgid gives all that
 * is made in it to the same group. Any other is private.
 *
 * Whoever writes to a store decides what its users compile and run. So a
 * private one has to be the user's own, and a shared one of a group that the
 * user is in: root too, who could otherwise be made to run what a user put
 * there. Root is let through to a folder that nobody but root and its owner
 * can write to, as in a container with a user's folder mounted into it.
 *
 * @throws KhError STORE_DENIED for a folder in which strangers could plant headers
 */
export async function storeModes(path: string): Promise<StoreModes> {
  const { uid, gid, mode } = await stat(path);
  const me = process.getuid?.();
  if (me === undefined) return PRIVATE; // Windows: folders have no such modes
  const refused = (why: string, hint: string) =>
    new KhError('STORE_DENIED', {
      message: `will not use ${path}: ${why}`,
      hint,
      details: { path, owner: uid, group: gid, mode: (mode & 0o7777).toString(8) },
    });
  const mine = uid === me;
  if ((mode & OTHERS_WRITE) !== 0 && !(mine && (mode & STICKY) !== 0)) {
    const whose = mine ? '' : `it belongs to another user (uid ${uid}), and `;
    throw refused(`${whose}everyone may write to it`, mine ? `Run \`chmod o-w ${path}\`.` : OWN);
  }
  if ((mode & SETGID) !== 0 && (mode & GROUP_WRITES) !== 0) {
    if (isMember(gid)) return sharedModes(mode);
    throw refused(`it is shared by a group (gid ${gid}) that you are not in`, JOIN);
  }
  if (mine || (me === 0 && (mode & GROUP_WRITES) === 0)) return PRIVATE;
  const others = (mode & GROUP_WRITES) !== 0 ? ', and others may write to it' : '';
  throw refused(`it belongs to another user (uid ${uid})${others}`, OWN);
}

const OWN = 'Set KH_HOME to a folder of your own, or to one that is shared (mode 2770).';
const JOIN = 'Ask for membership in the group, and log in again; or set KH_HOME to a folder of your own.';

/**
 * Checks a folder in a home, which may have been there before that was shared, or was until then.
 *
 * @throws KhError STORE_DENIED
 */
export async function requireSameModes(home: string, path: string, { shared }: StoreModes): Promise<void> {
  const [above, { gid, mode }] = await Promise.all([stat(home), stat(path)]);
  const alike = shared
    ? gid === above.gid && (mode & (GROUP_WRITES | OTHERS_WRITE)) === GROUP_WRITES
    : !(await storeModes(path)).shared;
  if (alike) return;
  const [is, isNot] = shared ? ['the folder above it', 'it'] : ['it', 'the folder above it'];
  throw new KhError('STORE_DENIED', {
    message: `will not use ${path}: ${is} is shared by a group, and ${isNot} is not`,
    hint: 'docs/store.md says how to share a store that is there already. Or set KH_HOME to another folder.',
    details: { path },
  });
}

/**
 * Tells the users of a shared store apart, whose builds would come across
 * files that only their owner may change; '' in a private one.
 */
export function buildersKey({ modes }: { modes: StoreModes }): string {
  return modes.shared ? `\0${process.getuid?.() ?? 0}` : '';
}

function isMember(gid: number): boolean {
  return process.getegid?.() === gid || (process.getgroups?.() ?? []).includes(gid);
}

/** Others may read where they may read the home. */
function sharedModes(home: number): StoreModes {
  const others = home & 0o005;
  return {
    shared: true,
    folder: 0o770 | others,
    file: 0o660 | (others & 0o004),
    treeFolder: 0o775,
  };
}
