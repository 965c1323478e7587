import { accessSync, constants, existsSync, statSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { humanBytes } from '../../core/human';
import { listArchives, treePath } from '../../store/archives';
import type { Store } from '../../store/layout';
import { listWorkspaces, type Workspace } from '../../store/workspaces';
import { findings, type DoctorFinding } from './finding';

/** A kernel that is pulled for the first time takes 50 MB, its archive, its tree and the staging of both. */
const TOO_LITTLE = 100 * 2 ** 20;
const LITTLE = 2 ** 30;

export interface SeenStore {
  workspaces: Workspace[];
  findings: DoctorFinding[];
}

/** Looks at the store and its disk, makes nothing, and reads no tree: `kh store verify` does. */
export async function lookAtStore(store: Store): Promise<SeenStore> {
  const place = findings('store', store.home);
  const disk = lookAtDisk(nearestFolder(store.home));
  if (!existsSync(store.archives)) {
    const said = isWritable(nearestFolder(store.home))
      ? place.note('there is no store yet: the first pull makes it')
      : place.error('STORE_DENIED', 'the store cannot be made here', SET_HOME);
    return { workspaces: [], findings: [disk, said] };
  }
  try {
    return await lookInside(store, disk);
  } catch (error) {
    return { workspaces: [], findings: [disk, place.failed(error)] };
  }
}

const SET_HOME = 'set KH_HOME to a folder of your own';

async function lookInside(store: Store, disk: DoctorFinding): Promise<SeenStore> {
  const { ok, error } = findings('store', store.home);
  const damaged: DoctorFinding[] = [];
  const workspaces = await listWorkspaces(store, ({ code, reason, hint }) =>
    damaged.push(error(code, reason, hint)),
  );
  const archives = await listArchives(store);
  const treeless = archives
    .filter(({ sha256 }) => !existsSync(treePath(store, sha256)))
    .map(({ sha256 }) => error('STORE_DAMAGED', `the tree of the archive ${sha256} is gone`, REPAIR));
  const orphans = workspaces
    .filter(({ headersPath }) => !existsSync(headersPath))
    .map(({ path }) => error('STORE_DAMAGED', `the headers of ${path} are gone`, REPAIR));
  const folders = [store.archives, store.trees, store.workspaces, store.locks, store.tmp];
  const locked = folders
    .filter((folder) => !isWritable(folder))
    .map((folder) => error('STORE_DENIED', `${folder} is not writable`, SET_HOME));
  const text = `${count(workspaces.length, 'workspace')}, ${count(archives.length, 'archive')}`;
  return { workspaces, findings: [disk, ok(text), ...locked, ...damaged, ...treeless, ...orphans] };
}

const REPAIR = 'kh store verify --repair';

function lookAtDisk(folder: string): DoctorFinding {
  const { ok, warning, error, failed } = findings('disk', folder);
  try {
    const { bavail, bsize, blocks } = statfsSync(folder);
    if (blocks === 0) return warning(NO_SIZE, SET_HOME_ON_DISK);
    const free = bavail * bsize;
    const text = `${humanBytes(free)} free`;
    if (free < TOO_LITTLE) return error('STORE_FULL', `${text}: too little for another kernel`, GIVE_BACK);
    return free < LITTLE ? warning(text, GIVE_BACK) : ok(text);
  } catch (thrown) {
    return failed(thrown);
  }
}

const GIVE_BACK = 'kh store gc --older-than 30d; or set KH_HOME to a folder on a larger disk';
/** Some file systems in user space tell none, either, and take files. */
const NO_SIZE = 'its file system has no size: most such, as /proc, take no files';
const SET_HOME_ON_DISK = 'set KH_HOME to a folder on a disk';

/** The folder itself, or the first one above it that is there. */
function nearestFolder(path: string): string {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder || dirname(path) === path ? path : nearestFolder(dirname(path));
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false; // whatever the reason, kh cannot write there
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
