import { lstat, readdir, readlink, rename, rmdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../core/disk-error';
import { KhError, NO_LINKS, isErrno } from '../core/errors';
import { makeFolder } from '../core/make-folder';
import { treePath, withArchiveLock } from './archives';
import { asDiskName, diskName } from './disk-name';
import { isNewer, refuseNewer } from './json-fields';
import type { Store } from './layout';
import { withLock, type LockOptions } from './lock';
import { markUsed } from './mark-used';
import { ageOf, discard, removeTree, temporaryPath } from './stage';
import { readIfThere, writeWhole } from './whole-file';
import {
  formatWorkspaceRecord,
  parseWorkspaceRecord,
  WORKSPACE_FORM,
  type WorkspaceRecord,
} from './workspace-record';

export type { WorkspaceRecord } from './workspace-record';

/** What kh has for one kernel of one device. */
export interface Workspace {
  /** The folder. */
  path: string;
  /** The link in it to the extracted tree; that itself on a file system without links. */
  headersPath: string;
  record: WorkspaceRecord;
}

/** Each part given has to fit. `serial` is an adb serial or the device's own serial number. */
export interface WorkspaceQuery {
  serial?: string;
  /** The device's name in the store. */
  name?: string;
  release?: string;
}

/** The folder of a workspace, whether it is there or not. `device` is a name from `claimDeviceName`. */
export function workspacePath(store: Store, device: string, release: string): string {
  return folderOf(store, {
    device: asDiskName(device),
    release: diskName(release),
  });
}

/**
 * @returns undefined where there is none
 * @throws KhError STORE_DAMAGED when what is there is no workspace of that device and kernel; STORE_DENIED, STORE_IO
 */
export async function readWorkspace(
  store: Store,
  device: string,
  release: string,
): Promise<Workspace | undefined> {
  return readPlace(store, placeOf(device, release));
}

/**
 * Every workspace, by device and release.
 *
 * @param onDamaged hears of each that cannot be read, which is left out
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function listWorkspaces(
  store: Store,
  onDamaged: (error: KhError) => void = () => undefined,
): Promise<Workspace[]> {
  return findWorkspaces(store, {}, onDamaged);
}

const UNREADABLE = new Set(['STORE_DAMAGED', 'STORE_NEWER']);

/** As `listWorkspaces`, only those that fit `query`. */
export async function findWorkspaces(
  store: Store,
  query: WorkspaceQuery,
  onDamaged: (error: KhError) => void = () => undefined,
): Promise<Workspace[]> {
  const places = (await listPlaces(store)).filter(
    ({ device, release }) =>
      (query.name === undefined || device === query.name) &&
      (query.release === undefined || release === diskName(query.release)),
  );
  const found = await Promise.all(
    places.map(async (place) => {
      try {
        return await readPlace(store, place);
      } catch (error) {
        if (!(error instanceof KhError && UNREADABLE.has(error.code))) throw error;
        onDamaged(error);
        return undefined;
      }
    }),
  );
  return found
    .filter((workspace) => workspace !== undefined)
    .filter(({ record: { device } }) => {
      const { serial } = query;
      return serial === undefined || serial === device.serialno || device.serials.includes(serial);
    });
}

/**
 * Makes the workspace that `record` describes, or brings it up to date. Its
 * archive must be in the store. Of several writers the last one wins.
 *
 * @param config the kernel's configuration, as text
 * @throws KhError STORE_DAMAGED when the tree has gone; STORE_NEWER; STORE_FULL, STORE_DENIED, STORE_IO, TIMEOUT
 */
export async function writeWorkspace(
  store: Store,
  record: WorkspaceRecord,
  { config }: { config?: Buffer } = {},
): Promise<Workspace> {
  const { sha256 } = record.archive;
  const path = workspacePath(store, record.device.name, record.kernel.release);
  await withPlaceLock(store, path, async () => {
    const file = recordPath(path);
    refuseNewer(await readIfThere(file), { ...WORKSPACE_FORM, path: file });
    try {
      await makeFolder(path, store.modes.folder);
    } catch (error) {
      throw diskError(error, path);
    }
    if (config === undefined) await dropForeignConfig(path, record);
    else await writeWhole(store, join(path, 'config'), config);
    // With the locks of the archives, so that no clean-up finds them unused in between.
    const archives = [sha256, ...(record.kernelBuild === undefined ? [] : [record.kernelBuild.sha256])];
    await withArchiveLocks(store, archives, async () => {
      for (const one of archives)
        if ((await ageOf(treePath(store, one))) === undefined) throw treeGoneError(store, one);
      await pointHeadersTo(store, path, sha256);
      await writeWhole(store, recordPath(path), formatWorkspaceRecord(record), { lasting: true });
    });
  });
  return { path, headersPath: await usableHeaders(store, path, sha256), record };
}

/**
 * Removes a workspace; archives and trees stay.
 *
 * @returns the archives that no workspace refers to any more because of it
 * @throws KhError WORKSPACE_NOT_FOUND, STORE_DENIED, STORE_IO
 */
export async function removeWorkspace(
  store: Store,
  device: string,
  release: string,
): Promise<{ unreferenced: string[] }> {
  const path = workspacePath(store, device, release);
  const had = await withPlaceLock(store, path, async () => {
    const references = await referencesOf(path);
    if (await discardPlace(store, path)) return references;
    throw new KhError('WORKSPACE_NOT_FOUND', {
      message: `there is no workspace of ${device} for ${release}`,
      hint: '`kh workspace list` shows those that are there.',
      details: { path },
    });
  });
  const used = await referencedArchives(store);
  return { unreferenced: had.filter((sha256) => !used.has(sha256)) };
}

/** A workspace, damaged or not, as far as a clean-up has to know it. */
export interface WorkspaceUse {
  path: string;
  /** The sha256 of those that it refers to: of its headers, and of build files that came with them. */
  archives: string[];
  /** Milliseconds since it was last pulled for, built in or asked for with `kh env`. */
  idle: number;
}

/** @throws KhError STORE_DENIED, STORE_IO */
export async function workspaceUses(store: Store): Promise<WorkspaceUse[]> {
  const paths = (await listPlaces(store)).map((place) => folderOf(store, place));
  const uses = await Promise.all(
    paths.map(async (path) => {
      const idle = await idleTime(path);
      return idle === undefined ? [] : [{ path, archives: await referencesOf(path), idle }];
    }),
  );
  return uses.flat();
}

/**
 * Removes a workspace, unless it has been used within `idle` milliseconds.
 *
 * @returns whether it was removed
 * @throws KhError STORE_DENIED, STORE_IO; TIMEOUT after `wait` milliseconds while another process works on it
 */
export async function removeIdleWorkspace(
  store: Store,
  path: string,
  { idle, wait }: { idle: number; wait: number },
): Promise<boolean> {
  const remove = async () => ((await idleTime(path)) ?? 0) >= idle && discardPlace(store, path);
  return withPlaceLock(store, path, remove, { wait });
}

/** Notes that a workspace is used, which keeps it from `collectGarbage`. */
export async function markWorkspaceUsed(path: string): Promise<void> {
  await markUsed(recordPath(path));
}

/** What a newer kh wrote counts as just used: it is not ours to remove. */
async function idleTime(path: string): Promise<number | undefined> {
  if (isNewer(await readIfThere(recordPath(path)), WORKSPACE_FORM)) return 0;
  return (await ageOf(recordPath(path))) ?? ageOf(path);
}

/** Takes a workspace out of sight in one step, then removes it. @returns false where there is none */
async function discardPlace(store: Store, path: string): Promise<boolean> {
  if (!(await discard(store, path))) return false;
  await rmdir(join(path, '..')).catch((error: unknown) => {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw diskError(error, path);
  });
  return true;
}

/**
 * The archives that workspaces refer to, damaged workspaces included.
 *
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function referencedArchives(store: Store): Promise<Set<string>> {
  const places = await listPlaces(store);
  const references = await Promise.all(places.map((place) => referencesOf(folderOf(store, place))));
  return new Set(references.flat());
}

/** A workspace by the names of its folders. */
interface Place {
  device: string;
  release: string;
}

function placeOf(device: string, release: string): Place {
  return { device: asDiskName(device), release: diskName(release) };
}

function folderOf(store: Store, { device, release }: Place): string {
  return join(store.workspaces, device, release);
}

function recordPath(path: string): string {
  return join(path, 'workspace.json');
}

function headersPath(path: string): string {
  return join(path, 'headers');
}

function withPlaceLock<T>(
  store: Store,
  path: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  return withLock(store, `workspace-${path.slice(store.workspaces.length + 1)}`, work, options);
}

async function listPlaces(store: Store): Promise<Place[]> {
  const devices = await namesIn(store.workspaces);
  const places = await Promise.all(
    devices.map(async (device) => {
      const releases = await namesIn(join(store.workspaces, device));
      return releases.map((release) => ({ device, release }));
    }),
  );
  return places.flat();
}

/** What is in a folder, sorted; nothing where there is none, as when it was just removed. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw diskError(error, folder);
  }
}

async function readPlace(store: Store, place: Place): Promise<Workspace | undefined> {
  const path = folderOf(store, place);
  const record = await readRecord(place, path);
  if (record === undefined) return undefined;
  // workspace.json is written last: a link that differs is of a write going on now, or of one that was killed.
  if ((await linkedArchive(path)) !== record.archive.sha256) return mended(store, place, path);
  return { path, headersPath: await usableHeaders(store, path, record.archive.sha256), record };
}

/** Points the link at what the record says, once nobody is writing. */
function mended(store: Store, place: Place, path: string): Promise<Workspace | undefined> {
  return withPlaceLock(store, path, async () => {
    const record = await readRecord(place, path);
    if (record === undefined) return undefined;
    const { sha256 } = record.archive;
    if ((await linkedArchive(path)) !== sha256) await pointHeadersTo(store, path, sha256);
    return { path, headersPath: await usableHeaders(store, path, sha256), record };
  });
}

async function readRecord(place: Place, path: string): Promise<WorkspaceRecord | undefined> {
  const file = recordPath(path);
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  const record = parseWorkspaceRecord(text, file);
  if (record.device.name === place.device && diskName(record.kernel.release) === place.release) return record;
  throw new KhError('STORE_DAMAGED', {
    message: `${file} describes another workspace: ${record.kernel.release} of ${record.device.name}`,
    hint: 'Pull again, or remove it with `kh workspace remove`.',
    details: { path: file },
  });
}

/** The sha256 that the link to the headers names; undefined where there is no such link. */
async function linkedArchive(path: string): Promise<string | undefined> {
  try {
    return LINK.exec(await readlink(headersPath(path)))?.[1];
  } catch (error) {
    if (isErrno(error, 'EINVAL', 'ENOSYS', 'ENOTSUP')) return notedArchive(path);
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw diskError(error, path);
  }
}

async function notedArchive(path: string): Promise<string | undefined> {
  const isFile = (await lstat(headersPath(path))).isFile();
  return isFile ? LINK.exec((await readIfThere(headersPath(path))) ?? '')?.[1] : undefined;
}

/** The link to the tree, or the tree itself where a file stands in for the link. */
async function usableHeaders(store: Store, path: string, sha256: string): Promise<string> {
  const stats = await lstat(headersPath(path)).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw diskError(error, path);
  });
  return stats?.isFile() === true ? treePath(store, sha256) : headersPath(path);
}

const LINK = /^\.\.\/\.\.\/\.\.\/trees\/([0-9a-f]{64})$/;

/** The link is relative, so that KH_HOME may be moved. */
async function pointHeadersTo(store: Store, path: string, sha256: string): Promise<void> {
  const temporary = temporaryPath(store);
  try {
    await linkOrNote(`../../../trees/${sha256}`, temporary);
    await rename(temporary, headersPath(path));
  } catch (error) {
    await removeTree(temporary);
    throw diskError(error, headersPath(path));
  }
}

/** On a file system without links, a file names the tree, as git keeps links there. */
async function linkOrNote(target: string, path: string): Promise<void> {
  try {
    await symlink(target, path);
  } catch (error) {
    if (!isErrno(error, ...NO_LINKS)) throw error;
    await writeFile(path, target);
  }
}

/** In one order, whoever asks: two of them cannot wait for each other. */
function withArchiveLocks(store: Store, archives: string[], work: () => Promise<void>): Promise<void> {
  return archives
    .toSorted()
    .reduceRight((inner, sha256) => () => withArchiveLock(store, sha256, inner), work)();
}

async function referencesOf(path: string): Promise<string[]> {
  const linked = await linkedArchive(path);
  const text = await readIfThere(recordPath(path));
  const recorded = [...(text ?? '').matchAll(/"sha256":\s*"([0-9a-f]{64})"/g)].map(([, sha256]) => sha256);
  return [...new Set([linked, ...recorded])].filter((sha256) => sha256 !== undefined);
}

/** A configuration left from another build of the same release must not be taken for this one's. */
async function dropForeignConfig(path: string, { kernel }: WorkspaceRecord): Promise<void> {
  const text = await readIfThere(recordPath(path));
  const sameBuild = text?.includes(JSON.stringify(kernel.version)) ?? false;
  if (!sameBuild) await removeTree(join(path, 'config'));
}

function treeGoneError(store: Store, sha256: string): KhError {
  const path = treePath(store, sha256);
  return new KhError('STORE_DAMAGED', {
    message: `${path} was removed while its workspace was being made`,
    hint: 'Run again.',
    details: { path },
  });
}
