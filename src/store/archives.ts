import { readdir, rename, stat } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { diskError } from '../core/disk-error';
import { KhError, isErrno } from '../core/errors';
import { isNewer, parseFields } from './json-fields';
import type { Store } from './layout';
import { withLock, type LockOptions } from './lock';
import { markUsed } from './mark-used';
import { ageOf, discard, removeTree, type Stage } from './stage';
import { treeShape, type TreeShape } from './tree-shape';
import { readIfThere, writeWhole } from './whole-file';

/** What is known of an archive once it was received and extracted. */
export interface ArchiveFacts {
  sha256: string;
  md5: string;
  /** Of the .tar.xz. */
  bytes: number;
  /** The kernel that it is of, as its `utsrelease.h` says. */
  release: string;
  /** Members. */
  entries: number;
  /** Of the files in it, all in all. */
  treeBytes: number;
  /** Links in it that lead nowhere, from the tree's root. */
  danglingLinks: string[];
}

/** An archive in the store. Whether its tree is whole, `treeIsSound` says. */
export interface StoredArchive extends ArchiveFacts {
  /** ISO time. */
  added: string;
  path: string;
  treePath: string;
}

/**
 * The archive with that digest; undefined when it is not here, or not whole.
 *
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function findArchive(
  store: Store,
  digests: { md5?: string; sha256?: string },
): Promise<StoredArchive | undefined> {
  const { md5, sha256 } = digests;
  const found =
    sha256 === undefined
      ? (await listArchives(store)).find((archive) => archive.md5 === md5)
      : await readArchive(store, sha256);
  return md5 === undefined || found?.md5 === md5 ? found : undefined;
}

/**
 * The archives of so many bytes: without one, a device's md5 need not be asked for.
 *
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function archivesOfSize(store: Store, bytes: number): Promise<StoredArchive[]> {
  return (await listArchives(store)).filter((archive) => archive.bytes === bytes);
}

/** Every archive that is here and whole, in the order of their digests; without those that a newer kh noted. */
export async function listArchives(store: Store): Promise<StoredArchive[]> {
  const names = await readdir(store.archives).catch((error: unknown) => {
    throw diskError(error, store.archives);
  });
  const digests = names.flatMap((name) => /^([0-9a-f]{64})\.json$/.exec(name)?.[1] ?? []).sort();
  const archives = await Promise.all(
    digests.map(async (sha256) => {
      try {
        return await readArchive(store, sha256);
      } catch (error) {
        if (error instanceof KhError && error.code === 'STORE_NEWER') return undefined;
        throw error;
      }
    }),
  );
  return archives.filter((archive) => archive !== undefined);
}

/** The sha256 of whatever is there in the name of one, whole or not, in order. @throws KhError STORE_DENIED, STORE_IO */
export async function storedDigests(store: Store): Promise<string[]> {
  const digests = new Set<string>();
  for (const folder of [store.archives, store.trees]) {
    const names = await readdir(folder).catch((error: unknown) => {
      throw diskError(error, folder);
    });
    for (const name of names) {
      const sha256 = /^([0-9a-f]{64})(?:\.json|\.tar\.xz|)$/.exec(name)?.[1];
      if (sha256 !== undefined) digests.add(sha256);
    }
  }
  return [...digests].sort();
}

/**
 * Takes the archive and the tree that wait in `stage` into the store.
 *
 * Facts go first, then the archive, then the tree: whatever the moment kh is
 * killed at, a tree that is there is whole, and facts without an archive of
 * the right size count for nothing. What is here already is kept, and the
 * stage's copy dropped; but a damaged tree is replaced. A stage without an
 * archive brings a tree extracted anew from the stored one.
 *
 * @param anew replaces what is here however sound it looks: contents are not compared
 * @throws KhError STORE_FULL, STORE_DENIED, STORE_IO
 */
export async function addArchive(
  store: Store,
  stage: Stage,
  facts: ArchiveFacts,
  { anew = false } = {},
): Promise<StoredArchive> {
  const { sha256 } = facts;
  const path = archivePath(store, sha256);
  return withArchiveLock(store, sha256, async () => {
    try {
      const kept = await readFacts(store, sha256);
      const whole = !anew && kept !== undefined && (await sizeOf(path)) === kept.facts.bytes;
      if (whole && isSound(store, kept, { sizes: true })) {
        await markUsed(factsPath(store, sha256));
        return stored(store, kept.facts);
      }
      return await place(store, stage, facts, async () => {
        if (!whole) await rename(stage.partPath, path);
      });
    } catch (error) {
      throw diskError(error, path, facts.bytes);
    }
  });
}

/**
 * Replaces the tree of an archive that is in the store by the one in `stage`,
 * which was extracted anew from it, and the facts with it.
 *
 * @throws KhError STORE_FULL, STORE_DENIED, STORE_IO
 */
export async function replaceTree(store: Store, stage: Stage, facts: ArchiveFacts): Promise<StoredArchive> {
  return withArchiveLock(store, facts.sha256, async () => {
    try {
      await readFacts(store, facts.sha256);
      return await place(store, stage, facts, () => Promise.resolve());
    } catch (error) {
      throw diskError(error, treePath(store, facts.sha256), facts.bytes);
    }
  });
}

/** Facts first, then whatever `placeArchive` does, then the tree. */
async function place(
  store: Store,
  stage: Stage,
  facts: ArchiveFacts,
  placeArchive: () => Promise<void>,
): Promise<StoredArchive> {
  const { sha256 } = facts;
  const added = { ...facts, added: new Date().toISOString() };
  const json = factsJson({ facts: added, tree: shapeOf(stage, facts.treeBytes) });
  await writeWhole(store, factsPath(store, sha256), json, { lasting: true });
  await placeArchive();
  await discard(store, treePath(store, sha256));
  await rename(stage.treePath, treePath(store, sha256));
  return stored(store, added);
}

/**
 * Forgets an archive whose bytes are damaged, so that the next pull transfers
 * it again. Its tree stays for the workspaces that use it, until then.
 *
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function forgetArchive(store: Store, sha256: string): Promise<void> {
  await withArchiveLock(store, sha256, async () => {
    await removeTree(factsPath(store, sha256));
    await removeTree(archivePath(store, sha256));
  });
}

/**
 * Whether a tree still holds all that was extracted. Folders are read and
 * entries counted, which shows what a cleaner of old files took from it. On
 * the first use after this machine booted, sizes are added up too: a power cut
 * can leave files empty that were not yet on the disk.
 *
 * A sound tree counts as just used, which keeps it from `collectGarbage`.
 *
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function treeIsSound(store: Store, sha256: string): Promise<boolean> {
  if (foundSound(store, sha256)) return true;
  const kept = await readFacts(store, sha256);
  const unused = await ageOf(factsPath(store, sha256));
  if (kept === undefined || unused === undefined) return false;
  const sound = isSound(store, kept, { sizes: unused > uptime() * 1000 });
  if (sound) {
    await markUsed(factsPath(store, sha256));
    remember(store, sha256);
  }
  return sound;
}

/** When a tree was last found sound, for the devices of one run that share it; `performance.now()`. */
const foundAt = new Map<string, number>();
const REMEMBERED = 5_000;

function remember(store: Store, sha256: string): void {
  foundAt.set(treePath(store, sha256), performance.now());
}

function foundSound(store: Store, sha256: string): boolean {
  const time = foundAt.get(treePath(store, sha256));
  return time !== undefined && performance.now() - time < REMEMBERED;
}

/**
 * Removes an archive and its tree; those that are not there are fine. For who
 * holds the archive's lock.
 *
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function discardArchive(store: Store, sha256: string): Promise<void> {
  await discard(store, treePath(store, sha256));
  await removeTree(archivePath(store, sha256));
  await removeTree(factsPath(store, sha256));
}

/** Runs `work` while the archive neither comes nor goes. */
export function withArchiveLock<T>(
  store: Store,
  sha256: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  return withLock(store, `archive-${sha256}`, work, options);
}

/**
 * Milliseconds since a pull last used an archive; undefined when nothing of it
 * is here. One that a newer kh noted counts as just used: it is not ours to remove.
 */
export async function archiveIdleTime(store: Store, sha256: string): Promise<number | undefined> {
  if (isNewer(await readIfThere(factsPath(store, sha256)), FORM)) return 0;
  for (const path of [factsPath, archivePath, treePath]) {
    const age = await ageOf(path(store, sha256));
    if (age !== undefined) return age;
  }
  return undefined;
}

/** Where the tree of an archive is, or would be. */
export function treePath(store: Store, sha256: string): string {
  return join(store.trees, sha256);
}

/** What the file of facts holds. */
interface Recorded {
  facts: ArchiveFacts & { added: string };
  tree: TreeShape;
}

async function readArchive(store: Store, sha256: string): Promise<StoredArchive | undefined> {
  const facts = (await readFacts(store, sha256))?.facts;
  const whole = facts !== undefined && (await sizeOf(archivePath(store, sha256))) === facts.bytes;
  return whole ? stored(store, facts) : undefined;
}

function stored(store: Store, facts: Recorded['facts']): StoredArchive {
  const { sha256 } = facts;
  return { ...facts, path: archivePath(store, sha256), treePath: treePath(store, sha256) };
}

/** Damaged facts are as good as none: the next pull writes them anew. @throws KhError STORE_NEWER */
async function readFacts(store: Store, sha256: string): Promise<Recorded | undefined> {
  const path = factsPath(store, sha256);
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return parseFacts(text, path);
  } catch (error) {
    if (error instanceof KhError && error.code === 'STORE_DAMAGED') return undefined;
    throw error;
  }
}

const FORM = { kind: 'archive', version: 1 };

function parseFacts(text: string, path: string): Recorded {
  const fields = parseFields(text, { ...FORM, path, hint: 'Pull again.' });
  const tree = fields.object('tree');
  return {
    facts: {
      sha256: fields.digest('sha256', 64),
      md5: fields.digest('md5', 32),
      bytes: fields.count('bytes'),
      release: fields.text('release'),
      added: fields.time('added'),
      entries: fields.count('entries'),
      treeBytes: fields.count('treeBytes'),
      danglingLinks: fields.texts('danglingLinks'),
    },
    tree: { folders: tree.count('folders'), files: tree.count('files'), bytes: tree.count('bytes') },
  };
}

function factsJson({ facts, tree }: Recorded): string {
  return `${JSON.stringify({ archive: 1, ...facts, tree }, null, 2)}\n`;
}

function isSound(store: Store, { facts, tree }: Recorded, look: { sizes: boolean }): boolean {
  const { folders, files, bytes } = tree;
  const now = treeShape(treePath(store, facts.sha256), look);
  return now?.folders === folders && now.files === files && (!look.sizes || now.bytes === bytes);
}

/** The bytes are those that were just written: to ask for the size of each file would take longer than to count them. */
function shapeOf(stage: Stage, bytes: number): TreeShape {
  const shape = treeShape(stage.treePath, { sizes: false });
  if (shape !== undefined) return { ...shape, bytes };
  throw new KhError('STORE_IO', { message: `${stage.treePath} is gone`, details: { path: stage.treePath } });
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const { size } = await stat(path);
    return size;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw diskError(error, path);
  }
}

/** Where the bytes of an archive are, or would be. */
export function archivePath(store: Store, sha256: string): string {
  return join(store.archives, `${sha256}.tar.xz`);
}

function factsPath(store: Store, sha256: string): string {
  return join(store.archives, `${sha256}.json`);
}
