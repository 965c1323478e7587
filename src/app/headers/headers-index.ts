import { stat } from 'node:fs/promises';
import { openIndex, type HeadersIndex } from '../../archive/index/index-file';
import { writeIndex, type WrittenIndex } from '../../archive/index/write-index';
import { archiveChunks } from '../../archive/unpack-archive';
import { isErrno, KhError } from '../../core/errors';
import { archivePath } from '../../store/archives';
import { addIndex, findIndex, type StoredIndex } from '../../store/indexes';
import { createStage, removeTree } from '../../store/stage';
import { digestsOf } from '../check-archive';
import type { Context } from '../context';
import { selectKernel, type KernelSelection } from '../kernel-workspace';

/** What is done with an archive's index, while it is open. */
export type Look<T> = (index: HeadersIndex, context: Context) => T | Promise<T>;

/** Where headers are read from, with no device. */
export type HeadersPlace = { archive: string } | { selection: KernelSelection };

/** Looks into an archive file, or a workspace's archive. Throws as `indexOf` and `look`. */
export async function lookHere<T>(place: HeadersPlace, look: Look<T>, context: Context): Promise<T> {
  using index = await indexOf(place, context);
  return await look(index, context);
}

/**
 * The index of an archive file, or of a workspace's archive: made at the first
 * look, and found from then on.
 *
 * @throws KhError USAGE where there is no such file, ARCHIVE_*, WORKSPACE_*, STORE_*; or the signal's reason
 */
export async function indexOf(place: HeadersPlace, context: Context): Promise<HeadersIndex> {
  if ('archive' in place) return indexOfFile(place.archive, context);
  const { record } = await selectKernel(context.store, place.selection, context.emit);
  return indexOfStored(record.archive.sha256, context);
}

/** The index of an archive that the store has. @throws as `indexOf` */
export async function indexOfStored(sha256: string, context: Context): Promise<HeadersIndex> {
  const known = await knownIndex({ sha256 }, context);
  if (known !== undefined) return known;
  return makeIndex(archiveChunks(archivePath(context.store, sha256)), context, (written) => {
    if (written.sha256 === sha256) return Promise.resolve();
    throw new KhError('STORE_DAMAGED', {
      message: `the archive ${archivePath(context.store, sha256)} is not what was put there: it has sha256 ${written.sha256}`,
      hint: '`kh store verify --repair` forgets it; the next `kh pull` transfers it again.',
    });
  });
}

async function indexOfFile(path: string, context: Context): Promise<HeadersIndex> {
  await requireFile(path);
  const digests = await digestsOf(path, context.signal);
  const known = digests && (await knownIndex({ sha256: digests.sha256 }, context));
  return known ?? makeIndex(archiveChunks(path), context, () => Promise.resolve());
}

/** @throws KhError USAGE */
async function requireFile(path: string): Promise<void> {
  if ((await fileAt(path)) === true) return;
  throw new KhError('USAGE', {
    message: `there is no archive at ${path}`,
    hint: 'Name a kheaders.tar.xz, or a workspace with -w, or a device with -s.',
  });
}

/** Whether there is a file; undefined where there is nothing. */
export async function fileAt(path: string): Promise<boolean | undefined> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) return undefined;
    throw error;
  }
}

/** An index that is here and whole; a damaged one is removed, to be made again. */
export async function knownIndex(
  digests: { md5?: string; sha256?: string },
  { store }: Pick<Context, 'store'>,
): Promise<HeadersIndex | undefined> {
  const stored = await findIndex(store, digests);
  return stored && opened(stored);
}

async function opened({ path }: StoredIndex): Promise<HeadersIndex | undefined> {
  const index = openIndex(path);
  if (index === undefined) await removeTree(path);
  return index;
}

/**
 * Makes the index of an archive as its bytes come.
 *
 * @param verify judges the bytes, before what is in them is judged
 * @throws KhError ARCHIVE_*, STORE_*, and as `chunks` and `verify`; or the signal's reason
 */
export async function makeIndex(
  chunks: AsyncIterable<Buffer>,
  { store, limits, signal }: Context,
  verify: (written: WrittenIndex) => Promise<void>,
  onBytes?: (bytes: number) => void,
): Promise<HeadersIndex> {
  await using stage = await createStage(store);
  const written = await writeIndex(chunks, { path: stage.partPath, limits, signal, onBytes });
  await verify(written);
  const { outcome } = written;
  if (!outcome.ok) throw outcome.error;
  const index = await opened(await addIndex(store, stage.partPath, written));
  if (index !== undefined) return index;
  throw new KhError('STORE_DAMAGED', {
    message: `the index that was just made in ${store.indexes} is damaged`,
  });
}
