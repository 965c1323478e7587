import {
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  addArchive,
  archivesOfSize,
  findArchive,
  listArchives,
  discardArchive,
  treeIsSound,
} from '../../../src/store/archives';
import { createStage } from '../../../src/store/stage';
import { MD5, SHA256, archiveFacts, cleanUp, fillTree, filledStage, kill, newStore, runInChild } from './rig';

afterEach(cleanUp);

const KCONFIG = 'include/linux/kconfig.h';

async function storeWithArchive() {
  const store = await newStore();
  await using stage = await filledStage(store);
  return {
    store,
    archive: await addArchive(store, stage, archiveFacts({ danglingLinks: ['include/gone.h'] })),
  };
}

describe('addArchive', () => {
  it('takes archive and tree over, to be found by either digest and by size', async () => {
    const { store, archive } = await storeWithArchive();
    expect(archive).toMatchObject(archiveFacts({ danglingLinks: ['include/gone.h'] }));
    expect(readFileSync(archive.path)).toHaveLength(1000);
    expect(readFileSync(join(archive.treePath, KCONFIG), 'utf8')).toContain('KCONFIG');
    expect(await findArchive(store, { md5: MD5 })).toEqual(archive);
    expect(await findArchive(store, { sha256: SHA256 })).toEqual(archive);
    expect(await findArchive(store, { sha256: SHA256, md5: '0'.repeat(32) })).toBeUndefined();
    expect(await findArchive(store, { md5: '0'.repeat(32) })).toBeUndefined();
    expect(await archivesOfSize(store, 1000)).toEqual([archive]);
    expect(await archivesOfSize(store, 1001)).toEqual([]);
    expect(readdirSync(store.tmp)).toEqual([]);
  });

  it('keeps what is there when the same comes again, and drops the copy', async () => {
    const { store, archive } = await storeWithArchive();
    const before = statSync(archive.treePath).ino;
    await using stage = await filledStage(store);
    expect(await addArchive(store, stage, archiveFacts())).toEqual(archive);
    expect(statSync(archive.treePath).ino).toBe(before);
  });

  it('replaces a tree that lost a file', async () => {
    const { store, archive } = await storeWithArchive();
    rmSync(join(archive.treePath, KCONFIG));
    await using stage = await filledStage(store);
    await addArchive(store, stage, archiveFacts());
    expect(existsSync(join(archive.treePath, KCONFIG))).toBe(true);
  });

  it('replaces an archive that is cut short', async () => {
    const { store, archive } = await storeWithArchive();
    truncateSync(archive.path, 10);
    expect(await findArchive(store, { sha256: SHA256 })).toBeUndefined();
    await using stage = await filledStage(store);
    await addArchive(store, stage, archiveFacts());
    expect(statSync(archive.path).size).toBe(1000);
  });

  it('replaces what looks sound where it is to be made anew', async () => {
    const { store, archive } = await storeWithArchive();
    const file = join(archive.treePath, KCONFIG);
    const content = readFileSync(file, 'utf8');
    writeFileSync(file, content.replace(/./, 'X'));
    writeFileSync(archive.path, 'X'.repeat(statSync(archive.path).size));
    await using stage = await filledStage(store);
    const fresh = readFileSync(stage.partPath, 'utf8');
    await addArchive(store, stage, archiveFacts(), { anew: true });
    expect(readFileSync(file, 'utf8')).toBe(content);
    expect(readFileSync(archive.path, 'utf8')).toBe(fresh);
  });

  it('takes a tree alone, where the archive is in the store', async () => {
    const { store, archive } = await storeWithArchive();
    rmSync(archive.treePath, { recursive: true });
    await using stage = await createStage(store);
    fillTree(stage.treePath);
    await addArchive(store, stage, archiveFacts());
    expect(await treeIsSound(store, SHA256)).toBe(true);
  });

  it('comes out as one when several add the same at once', async () => {
    const store = await newStore();
    const stages = await Promise.all(Array.from({ length: 6 }, () => filledStage(store)));
    const added = await Promise.all(stages.map((stage) => addArchive(store, stage, archiveFacts())));
    await Promise.all(stages.map((stage) => stage[Symbol.asyncDispose]()));
    expect(new Set(added.map(({ added: time }) => time)).size).toBe(1);
    expect(await treeIsSound(store, SHA256)).toBe(true);
    expect(readdirSync(store.tmp)).toEqual([]);
  });

  it.each(['.json', '.tar.xz', ''])(
    'shows no tree that is not whole when it is killed before %j appears',
    async (ending) => {
      const store = await newStore();
      const child = runInChild(
        store,
        `const fs = require('node:fs/promises');
       const { rename } = fs;
       fs.rename = async (from, to) => {
         if (to.endsWith('${SHA256}${ending}')) { say('there'); await new Promise(() => setInterval(() => undefined, 1000)); }
         return rename(from, to);
       };
       const stage = await kh('stage').createStage(store);
       await fs.writeFile(stage.partPath, Buffer.alloc(1000));
       await fs.writeFile(stage.treePath + '/one.h', 'one');
       await kh('archives').addArchive(store, stage, ${JSON.stringify(archiveFacts())});`,
      );
      expect(await child.line()).toBe('there');
      await kill(child.process);
      expect(readdirSync(store.trees)).toEqual([]);
      expect(await treeIsSound(store, SHA256)).toBe(false);
      await using stage = await filledStage(store);
      await addArchive(store, stage, archiveFacts());
      expect(await treeIsSound(store, SHA256)).toBe(true);
      expect(await listArchives(store)).toHaveLength(1);
    },
  );
});

describe('treeIsSound', () => {
  it('is true of a tree as it was added, and marks it as used', async () => {
    const { store } = await storeWithArchive();
    const facts = join(store.archives, `${SHA256}.json`);
    const then = new Date(Date.now() - 3600_000);
    utimesSync(facts, then, then);
    expect(await treeIsSound(store, SHA256)).toBe(true);
    expect(statSync(facts).mtimeMs).toBeGreaterThan(then.getTime() + 3000_000);
  });

  it.each([
    ['a file is missing', (tree: string) => rmSync(join(tree, KCONFIG))],
    ['a folder is missing', (tree: string) => rmSync(join(tree, 'arch'), { recursive: true })],
    ['a file was added', (tree: string) => writeFileSync(join(tree, 'include/extra.h'), '')],
    ['all of it is missing', (tree: string) => rmSync(tree, { recursive: true })],
  ])('is false when %s', async (_, damage) => {
    const { store, archive } = await storeWithArchive();
    damage(archive.treePath);
    expect(await treeIsSound(store, SHA256)).toBe(false);
  });

  it('sees files that a power cut left empty, on the first use after this machine booted', async () => {
    const { store, archive } = await storeWithArchive();
    truncateSync(join(archive.treePath, KCONFIG), 0);
    utimesSync(join(store.archives, `${SHA256}.json`), new Date(0), new Date(0));
    expect(await treeIsSound(store, SHA256)).toBe(false);
  });

  it('is false where the facts are missing or damaged', async () => {
    const { store } = await storeWithArchive();
    writeFileSync(join(store.archives, `${SHA256}.json`), '{"archive": 1}');
    expect(await treeIsSound(store, SHA256)).toBe(false);
    expect(await listArchives(store)).toEqual([]);
    expect(await treeIsSound(store, '0'.repeat(64))).toBe(false);
  });
});

describe('discardArchive', () => {
  it('removes archive, facts and tree, and minds no absence', async () => {
    const { store } = await storeWithArchive();
    await discardArchive(store, SHA256);
    await discardArchive(store, SHA256);
    expect([store.archives, store.trees, store.tmp].flatMap((folder) => readdirSync(folder))).toEqual([]);
  });
});
