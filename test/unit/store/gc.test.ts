import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addArchive, treeIsSound } from '../../../src/store/archives';
import { collectGarbage, unreferencedArchives } from '../../../src/store/gc';
import type { Store } from '../../../src/store/layout';
import { readWorkspace, removeWorkspace, writeWorkspace } from '../../../src/store/workspaces';
import { RELEASE, SHA256, archiveFacts, cleanUp, filledStage, newStore, workspaceRecord } from './rig';

afterEach(cleanUp);

const OTHER = 'ef'.repeat(32);

/** Two archives unused for two hours, of which one has a workspace. */
async function storeWithTwo(): Promise<Store> {
  const store = await newStore();
  for (const sha256 of [SHA256, OTHER]) {
    await using stage = await filledStage(store);
    await addArchive(store, stage, archiveFacts({ sha256 }));
  }
  await writeWorkspace(store, workspaceRecord());
  for (const sha256 of [SHA256, OTHER]) idleFor2Hours(join(store.archives, `${sha256}.json`));
  return store;
}

function idleFor2Hours(path: string): void {
  const then = new Date(Date.now() - 2 * 3600_000);
  utimesSync(path, then, then);
}

describe('collectGarbage', () => {
  it('removes what no workspace refers to, and nothing else', async () => {
    const store = await storeWithTwo();
    expect((await unreferencedArchives(store)).map(({ sha256 }) => sha256)).toEqual([OTHER]);
    expect(await collectGarbage(store, { dryRun: true })).toEqual([OTHER]);
    expect(readdirSync(store.trees)).toHaveLength(2);
    expect(await collectGarbage(store)).toEqual([OTHER]);
    expect(readdirSync(store.trees)).toEqual([SHA256]);
    expect(readdirSync(store.archives)).toEqual([`${SHA256}.json`, `${SHA256}.tar.xz`]);
    expect(await treeIsSound(store, SHA256)).toBe(true);
  });

  it('leaves what a pull has just used, which may get its workspace any moment', async () => {
    const store = await storeWithTwo();
    expect(await treeIsSound(store, OTHER)).toBe(true);
    expect(await collectGarbage(store, { dryRun: true })).toEqual([]);
    expect(await collectGarbage(store)).toEqual([]);
  });

  it('takes the reference of a damaged workspace for one', async () => {
    const store = await storeWithTwo();
    const workspace = await readWorkspace(store, 'PIXEL', RELEASE);
    writeFileSync(join(workspace!.path, 'workspace.json'), 'rubbish');
    expect(await collectGarbage(store)).toEqual([OTHER]);
  });

  it('takes an archive whose last workspace was removed, and half of one that a crash left', async () => {
    const store = await storeWithTwo();
    await removeWorkspace(store, 'PIXEL', RELEASE);
    const half = '1'.repeat(64);
    writeFileSync(join(store.archives, `${half}.tar.xz`), '');
    idleFor2Hours(join(store.archives, `${half}.tar.xz`));
    expect(await collectGarbage(store)).toEqual([half, SHA256, OTHER]);
    expect([store.archives, store.trees].flatMap((folder) => readdirSync(folder))).toEqual([]);
  });

  it('leaves either a whole workspace or none, when one is written at the same moment', async () => {
    const store = await storeWithTwo();
    await removeWorkspace(store, 'PIXEL', RELEASE);
    const [written] = await Promise.allSettled([
      writeWorkspace(store, workspaceRecord()),
      collectGarbage(store, { grace: 0 }),
    ]);
    const there = await readWorkspace(store, 'PIXEL', RELEASE);
    expect(there !== undefined).toBe(written.status === 'fulfilled');
    expect(await treeIsSound(store, SHA256)).toBe(written.status === 'fulfilled');
  });
});
