import { chmod, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../core/disk-error';
import type { Store } from './layout';
import { markUsed } from './mark-used';
import { ageOf } from './stage';

/** An index of an archive, which need not be in the store itself. */
export interface StoredIndex {
  path: string;
  /** Of the archive. */
  sha256: string;
  md5: string;
}

/** An index, and milliseconds since it was last used. */
export interface IndexUse {
  path: string;
  idle: number;
}

/**
 * The index of the archive with that digest, which counts as just used.
 *
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function findIndex(
  store: Store,
  digests: { md5?: string; sha256?: string },
): Promise<StoredIndex | undefined> {
  const { sha256, md5 } = digests;
  const found = (await listIndexes(store)).find((index) =>
    sha256 === undefined ? index.md5 === md5 : index.sha256 === sha256,
  );
  // Another process may just have given it back.
  return found !== undefined && (await markUsed(found.path)) ? found : undefined;
}

/**
 * Takes a finished index into the store, for all who use that.
 *
 * @param path where it waits, in staging
 * @throws KhError STORE_DENIED, STORE_IO
 */
export async function addIndex(
  store: Store,
  path: string,
  { sha256, md5 }: Omit<StoredIndex, 'path'>,
): Promise<StoredIndex> {
  const place = join(store.indexes, `${sha256}.${md5}`);
  try {
    await chmod(path, store.modes.file);
    await rename(path, place);
    return { path: place, sha256, md5 };
  } catch (error) {
    throw diskError(error, place);
  }
}

/** When each index was last used. @throws KhError STORE_DENIED, STORE_IO */
export async function indexUses(store: Store): Promise<IndexUse[]> {
  const uses: IndexUse[] = [];
  for (const { path } of await listIndexes(store)) {
    const idle = await ageOf(path);
    if (idle !== undefined) uses.push({ path, idle });
  }
  return uses;
}

async function listIndexes(store: Store): Promise<StoredIndex[]> {
  const names = await readdir(store.indexes).catch((error: unknown) => {
    throw diskError(error, store.indexes);
  });
  return names.flatMap((name) => {
    const [, sha256, md5] = /^([0-9a-f]{64})\.([0-9a-f]{32})$/.exec(name) ?? [];
    return sha256 === undefined || md5 === undefined
      ? []
      : [{ path: join(store.indexes, name), sha256, md5 }];
  });
}
