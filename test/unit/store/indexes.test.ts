import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectGarbage } from '../../../src/store/gc';
import { addIndex, findIndex, indexUses } from '../../../src/store/indexes';
import type { Store } from '../../../src/store/layout';
import { temporaryPath } from '../../../src/store/stage';
import { MD5, SHA256, cleanUp, newStore } from './rig';

afterEach(cleanUp);

async function storeWithIndex() {
  const store = await newStore();
  const made = temporaryPath(store);
  writeFileSync(made, 'x'.repeat(10_000));
  return { store, index: await addIndex(store, made, { sha256: SHA256, md5: MD5 }) };
}

/** As if nobody had used it for two hours. */
function leaveAlone(path: string): void {
  const then = new Date(Date.now() - 2 * 3600_000);
  utimesSync(path, then, then);
}

const indexesIn = async (store: Store) => (await indexUses(store)).map(({ path }) => path);

describe('an index in the store', () => {
  it('is found by either digest of its archive, and by no other', async () => {
    const { store, index } = await storeWithIndex();
    expect(await findIndex(store, { sha256: SHA256 })).toEqual(index);
    expect(await findIndex(store, { md5: MD5 })).toEqual(index);
    expect(await findIndex(store, { sha256: MD5 + MD5 })).toBeUndefined();
    expect(await findIndex(store, { md5: 'ef'.repeat(16) })).toBeUndefined();
  });

  it('is told apart from whatever else lies there', async () => {
    const { store, index } = await storeWithIndex();
    writeFileSync(join(store.indexes, '.DS_Store'), '');
    expect(await indexesIn(store)).toEqual([index.path]);
  });

  it('goes when nobody used it for an hour', async () => {
    const { store, index } = await storeWithIndex();
    expect((await collectGarbage(store)).indexes).toEqual([]);
    leaveAlone(index.path);
    const { indexes, remainingBytes } = await collectGarbage(store, { dryRun: true });
    expect(indexes).toMatchObject([{ path: index.path, diskBytes: expect.any(Number) as number }]);
    expect(remainingBytes).toBe(0);
    expect(existsSync(index.path)).toBe(true);
    await collectGarbage(store);
    expect(existsSync(index.path)).toBe(false);
  });

  it('stays where it was just found', async () => {
    const { store, index } = await storeWithIndex();
    leaveAlone(index.path);
    await findIndex(store, { sha256: SHA256 });
    expect((await collectGarbage(store)).indexes).toEqual([]);
  });

  it('counts for the size of the store', async () => {
    const { store } = await storeWithIndex();
    expect((await collectGarbage(store, { maxBytes: 1 })).remainingBytes).toBeGreaterThanOrEqual(10_000);
  });
});
