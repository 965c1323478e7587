import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../../src/store/layout';
import { createStage, sweepStages } from '../../../src/store/stage';
import { cleanUp, fillTree, kill, newStore, runInChild } from './rig';

afterEach(cleanUp);

const MAKE_STAGE = `
  const stage = await kh('stage').createStage(store);
  require('node:fs').writeFileSync(stage.treePath + '/half.h', 'half');
  say(stage.path);
  setInterval(() => undefined, 1000);`;

describe('a stage', () => {
  it('is a private folder, and leaves nothing behind', async () => {
    const store = await newStore();
    {
      await using stage = await createStage(store);
      expect(statSync(stage.path).mode & 0o777).toBe(0o700);
      expect(existsSync(stage.partPath)).toBe(false);
      expect(readdirSync(stage.treePath)).toEqual([]);
      fillTree(stage.treePath);
    }
    expect(readdirSync(store.tmp)).toEqual([]);
  });
});

describe('sweepStages', () => {
  it('leaves the stages of processes that run, and takes those of one that was killed', async () => {
    const store = await newStore();
    await using own = await createStage(store);
    const child = runInChild(store, MAKE_STAGE);
    const path = await child.line();
    await sweepStages(store);
    expect([existsSync(own.path), existsSync(path)]).toEqual([true, true]);
    await kill(child.process);
    await sweepStages(store);
    expect([existsSync(own.path), existsSync(path)]).toEqual([true, false]);
  });

  it('is done whenever the store is opened', async () => {
    const store = await newStore();
    const child = runInChild(store, MAKE_STAGE);
    const path = await child.line();
    await kill(child.process);
    await openStore({ home: store.home });
    expect(existsSync(path)).toBe(false);
  });

  it('keeps what it cannot judge for a day', async () => {
    const store = await newStore();
    const ages = { 'other-host~0123456789~1~1~1~ff': 23, 'other-host~0123456789~1~1~1~ee': 25, stray: 25 };
    for (const [name, hours] of Object.entries(ages)) {
      const path = join(store.tmp, name);
      if (name === 'stray') writeFileSync(path, '');
      else mkdirSync(path);
      const then = new Date(Date.now() - hours * 3600_000);
      utimesSync(path, then, then);
    }
    await sweepStages(store);
    expect(readdirSync(store.tmp)).toEqual(['other-host~0123456789~1~1~1~ff']);
  });

  it('may be done by several processes at once', async () => {
    const store = await newStore();
    const dead = await Promise.all(
      [1, 2, 3].map(async () => {
        const child = runInChild(store, MAKE_STAGE);
        await child.line();
        return child.process;
      }),
    );
    await Promise.all(dead.map(kill));
    const sweepers = [1, 2, 3, 4].map(() => runInChild(store, `await kh('stage').sweepStages(store);`));
    await Promise.all([...sweepers.map(({ ended }) => ended), sweepStages(store), sweepStages(store)]);
    expect(await Promise.all(sweepers.map(({ ended }) => ended))).toEqual([0, 0, 0, 0]);
    expect(readdirSync(store.tmp)).toEqual([]);
  });
});
