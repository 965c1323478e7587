import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addArchive, treeIsSound } from '../../../src/store/archives';
import { collectGarbage, type GarbageRules } from '../../../src/store/gc';
import type { Store } from '../../../src/store/layout';
import {
  markWorkspaceUsed,
  readWorkspace,
  removeWorkspace,
  writeWorkspace,
} from '../../../src/store/workspaces';
import {
  RELEASE,
  SHA256,
  archiveFacts,
  cleanUp,
  filledStage,
  kill,
  newStore,
  runInChild,
  workspaceRecord,
} from './rig';

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

const HOUR = 3600_000;

function idleFor2Hours(path: string): void {
  idleFor(path, 2 * HOUR);
}

function idleFor(path: string, milliseconds: number): void {
  const then = new Date(Date.now() - milliseconds);
  utimesSync(path, then, then);
}

/** The digests of the archives that went, or would. */
async function removedFrom(store: Store, rules: GarbageRules = {}): Promise<string[]> {
  return (await collectGarbage(store, rules)).archives.map(({ sha256 }) => sha256);
}

/** So many kernels, each with a workspace; the first was used 1 day ago, the second 2 days, and so on. */
async function storeWithKernels(
  count: number,
): Promise<{ store: Store; digests: string[]; paths: string[] }> {
  const store = await newStore();
  const digests = Array.from({ length: count }, (_, n) => String(n + 1).repeat(64));
  const paths: string[] = [];
  for (const [n, sha256] of digests.entries()) {
    await using stage = await filledStage(store);
    await addArchive(store, stage, archiveFacts({ sha256 }));
    const record = workspaceRecord();
    const device = { ...record.device, name: `DEVICE${n + 1}` };
    const { path } = await writeWorkspace(store, {
      ...record,
      device,
      archive: { ...record.archive, sha256 },
    });
    paths.push(path);
    idleFor(join(path, 'workspace.json'), (n + 1) * 24 * HOUR);
    idleFor(join(store.archives, `${sha256}.json`), (n + 1) * 24 * HOUR);
  }
  return { store, digests, paths };
}

describe('collectGarbage', () => {
  it('removes what no workspace refers to, and nothing else', async () => {
    const store = await storeWithTwo();
    expect(await removedFrom(store, { dryRun: true })).toEqual([OTHER]);
    expect(readdirSync(store.trees)).toHaveLength(2);
    expect(await removedFrom(store)).toEqual([OTHER]);
    expect(readdirSync(store.trees)).toEqual([SHA256]);
    expect(readdirSync(store.archives)).toEqual([`${SHA256}.json`, `${SHA256}.tar.xz`]);
    expect(await treeIsSound(store, SHA256)).toBe(true);
  });

  it('leaves what a pull has just used, which may get its workspace any moment', async () => {
    const store = await storeWithTwo();
    expect(await treeIsSound(store, OTHER)).toBe(true);
    expect(await removedFrom(store, { dryRun: true })).toEqual([]);
    expect(await removedFrom(store)).toEqual([]);
  });

  it('keeps the build files that a workspace has with its headers, and takes both with it, once', async () => {
    const store = await storeWithTwo();
    const kernelBuild = { ...workspaceRecord().archive, sha256: OTHER };
    const { path } = await writeWorkspace(store, workspaceRecord({ kernelBuild }));
    expect(await removedFrom(store)).toEqual([]);
    idleFor2Hours(join(path, 'workspace.json'));
    const collected = await collectGarbage(store, { maxBytes: 0 });
    expect(collected.workspaces.map((one) => one.path)).toEqual([path]);
    expect(collected.archives.map(({ sha256 }) => sha256).sort()).toEqual([SHA256, OTHER].sort());
    expect(collected.remainingBytes).toBe(0);
  });

  it('takes the reference of a damaged workspace for one', async () => {
    const store = await storeWithTwo();
    const workspace = await readWorkspace(store, 'PIXEL', RELEASE);
    writeFileSync(join(workspace!.path, 'workspace.json'), 'rubbish');
    expect(await removedFrom(store)).toEqual([OTHER]);
  });

  it('takes an archive whose last workspace was removed, and half of one that a crash left', async () => {
    const store = await storeWithTwo();
    await removeWorkspace(store, 'PIXEL', RELEASE);
    const half = '1'.repeat(64);
    writeFileSync(join(store.archives, `${half}.tar.xz`), '');
    idleFor2Hours(join(store.archives, `${half}.tar.xz`));
    expect(await removedFrom(store)).toEqual([half, SHA256, OTHER]);
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

  it('takes workspaces that were not used for long, with what is built in them, and then their archives', async () => {
    const { store, digests, paths } = await storeWithKernels(3);
    writeFileSync(join(paths[2]!, 'Module.symvers'), '');
    const rules = { olderThan: 47 * HOUR };
    const planned = await collectGarbage(store, { ...rules, dryRun: true });
    expect(existsSync(paths[2]!)).toBe(true);
    const collected = await collectGarbage(store, rules);
    expect(collected.workspaces.map(({ path }) => path)).toEqual(paths.slice(1));
    expect(collected.archives.map(({ sha256 }) => sha256)).toEqual(digests.slice(1));
    expect(planned.workspaces.map(({ path }) => path)).toEqual(paths.slice(1));
    expect(planned.remainingBytes).toBe(collected.remainingBytes);
    expect(readdirSync(store.workspaces)).toEqual(['DEVICE1']);
    expect(await treeIsSound(store, digests[0]!)).toBe(true);
  });

  it('takes the least recently used kernels until the rest is small enough', async () => {
    const { store, digests, paths } = await storeWithKernels(4);
    await markWorkspaceUsed(paths[3]!); // in use again: so is its archive, however old
    const { remainingBytes: all } = await collectGarbage(store, { dryRun: true });
    expect(await removedFrom(store, { maxBytes: all })).toEqual([]);
    const collected = await collectGarbage(store, { maxBytes: Math.ceil(all / 2) });
    expect(collected.archives.map(({ sha256 }) => sha256)).toEqual([digests[2], digests[1]]);
    expect(collected.workspaces.map(({ path }) => path)).toEqual([paths[2], paths[1]]);
    expect(collected.remainingBytes).toBeLessThanOrEqual(Math.ceil(all / 2));
    const rest = await collectGarbage(store, { maxBytes: 0 });
    expect(rest.archives.map(({ sha256 }) => sha256)).toEqual([digests[0]]);
    expect(rest.remainingBytes).toBe(Math.round(all / 4));
    expect(readdirSync(store.workspaces)).toEqual(['DEVICE4']);
  });

  it('leaves what another process works with, and says so', async () => {
    const { store, digests, paths } = await storeWithKernels(2);
    const child = runInChild(
      store,
      `await kh('archives').withArchiveLock(store, '${digests[1]!}', async () => { say('locked'); await new Promise((r) => setTimeout(r, 60000)); });`,
    );
    expect(await child.line()).toBe('locked');
    const collected = await collectGarbage(store, { olderThan: HOUR });
    expect(collected.busy).toEqual([digests[1]]);
    expect(collected.archives.map(({ sha256 }) => sha256)).toEqual([digests[0]]);
    expect(collected.workspaces.map(({ path }) => path)).toEqual(paths);
    await kill(child.process);
    expect(await removedFrom(store, { olderThan: HOUR })).toEqual([digests[1]]);
  });
});
