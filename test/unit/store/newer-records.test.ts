import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addArchive, findArchive, listArchives, replaceTree, treeIsSound } from '../../../src/store/archives';
import { claimDeviceName } from '../../../src/store/device-claims';
import { collectGarbage } from '../../../src/store/gc';
import type { Store } from '../../../src/store/layout';
import { listWorkspaces, readWorkspace, writeWorkspace } from '../../../src/store/workspaces';
import { SHA256, RELEASE, archiveFacts, cleanUp, filledStage, newStore, workspaceRecord } from './rig';

afterEach(cleanUp);

const NEWER = { code: 'STORE_NEWER' };
const LONG_AGO = new Date('2024-01-01');

/** Gives a record the form of a newer kh, and an old time. @returns its path and text */
function renew(path: string, kind: string): { path: string; text: string } {
  const record = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  const text = JSON.stringify({ ...record, [kind]: 2 });
  writeFileSync(path, text);
  utimesSync(path, LONG_AGO, LONG_AGO);
  return { path, text };
}

async function filledStore(): Promise<Store> {
  const store = await newStore();
  await using stage = await filledStage(store);
  await addArchive(store, stage, archiveFacts());
  await writeWorkspace(store, workspaceRecord());
  return store;
}

describe('a record that a newer kh wrote', () => {
  it('keeps an archive from being used, written over, replaced and collected', async () => {
    const store = await filledStore();
    await using stage = await filledStage(store);
    const facts = renew(join(store.archives, `${SHA256}.json`), 'archive');
    expect(await listArchives(store)).toEqual([]);
    await expect(findArchive(store, { sha256: SHA256 })).rejects.toMatchObject(NEWER);
    await expect(treeIsSound(store, SHA256)).rejects.toMatchObject(NEWER);
    await expect(addArchive(store, stage, archiveFacts(), { anew: true })).rejects.toMatchObject(NEWER);
    await expect(replaceTree(store, stage, archiveFacts())).rejects.toMatchObject(NEWER);
    expect(await collectGarbage(store, { grace: 1, maxBytes: 0 })).toMatchObject({ archives: [] });
    expect(readFileSync(facts.path, 'utf8')).toBe(facts.text);
  });

  it('keeps a workspace and its archive, and names it among those that are fine', async () => {
    const store = await filledStore();
    const record = renew(join(store.workspaces, 'PIXEL', RELEASE, 'workspace.json'), 'workspace');
    const reported: string[] = [];
    expect(await listWorkspaces(store, ({ code }) => reported.push(code))).toEqual([]);
    expect(reported).toEqual(['STORE_NEWER']);
    await expect(readWorkspace(store, 'PIXEL', RELEASE)).rejects.toMatchObject({
      ...NEWER,
      message: expect.stringContaining('was written by a newer kh') as string,
    });
    await expect(writeWorkspace(store, workspaceRecord())).rejects.toMatchObject(NEWER);
    utimesSync(join(store.archives, `${SHA256}.json`), LONG_AGO, LONG_AGO);
    const collected = await collectGarbage(store, { grace: 1, olderThan: 1, maxBytes: 0 });
    expect(collected).toMatchObject({ workspaces: [], archives: [] });
    expect(readFileSync(record.path, 'utf8')).toBe(record.text);
  });

  it('keeps the name of a device, and does not disturb devices whose names begin alike', async () => {
    const store = await newStore();
    const sighting = (serialno: string) => ({ serialno, serial: serialno, bootId: 'one' });
    const absent = () => Promise.resolve('absent' as const);
    await claimDeviceName(store, sighting('PIXEL7'), absent);
    const claim = renew(join(store.devices, 'PIXEL7.json'), 'claim');
    await expect(claimDeviceName(store, sighting('PIXEL7'), absent)).rejects.toMatchObject(NEWER);
    expect(await claimDeviceName(store, sighting('PIXEL'), absent)).toBe('PIXEL');
    expect(readFileSync(claim.path, 'utf8')).toBe(claim.text);
  });

  it('is left alone beside v1, as whatever else is there', async () => {
    const store = await filledStore();
    const later = join(store.home, 'v2', 'archives');
    mkdirSync(later, { recursive: true });
    const strays = [join(later, 'record.json'), join(store.home, 'notes.txt')];
    for (const path of strays) {
      writeFileSync(path, 'mine');
      utimesSync(path, LONG_AGO, LONG_AGO);
    }
    await collectGarbage(store, { grace: 0, olderThan: 0, maxBytes: 0 });
    expect(await listWorkspaces(store)).toEqual([]);
    for (const path of strays) expect(readFileSync(path, 'utf8')).toBe('mine');
  });
});
