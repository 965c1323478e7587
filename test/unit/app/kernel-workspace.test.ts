import { join } from 'node:path';
import { kernelOf, selectKernel, trustedKernel } from '../../../src/app/kernel-workspace';
import type { Store } from '../../../src/store/layout';
import { writeFileSync } from 'node:fs';
import { addArchive } from '../../../src/store/archives';
import { writeWorkspace, type WorkspaceRecord } from '../../../src/store/workspaces';
import {
  MD5,
  RELEASE,
  SHA256,
  archiveFacts,
  cleanUp,
  filledStage,
  newStore,
  workspaceRecord,
} from '../store/rig';

afterEach(cleanUp);

const OTHER = 'ef'.repeat(32);
const nobody = () => undefined;

async function storeWith(...records: Partial<WorkspaceRecord>[]): Promise<Store> {
  const store = await newStore();
  for (const sha256 of [SHA256, OTHER]) {
    await using stage = await filledStage(store);
    await addArchive(store, stage, archiveFacts({ sha256 }));
  }
  for (const record of records) await writeWorkspace(store, workspaceRecord(record));
  return store;
}

const named = (name: string) => ({ device: { name, serialno: name, serials: [`usb-${name}`] } });
const otherArchive = { archive: { sha256: OTHER, md5: MD5, bytes: 1000 } };

describe('selectKernel', () => {
  it('takes any device’s workspace of a release: the one whose exported symbols are known', async () => {
    const store = await storeWith(named('ONE'), named('TWO'), named('THREE'));
    writeFileSync(join(store.workspaces, 'TWO', RELEASE, 'Module.symvers'), '');
    const { record } = await selectKernel(store, { kernel: RELEASE, serials: [] }, nobody);
    expect(record.device.name).toBe('TWO');
  });

  it('names the workspaces where several builds have that release, and takes what a device narrows down', async () => {
    const store = await storeWith(named('ONE'), { ...named('TWO'), ...otherArchive });
    const selection = { kernel: RELEASE, serials: [] };
    await expect(selectKernel(store, selection, nobody)).rejects.toMatchObject({
      code: 'WORKSPACE_AMBIGUOUS',
      message: expect.stringMatching(/ONE\/.*TWO\//) as string,
    });
    const { record } = await selectKernel(store, { ...selection, serials: ['usb-TWO'] }, nobody);
    expect(record.archive.sha256).toBe(OTHER);
  });

  it('tells builds of one archive apart by their number and time', async () => {
    const { kernel } = workspaceRecord();
    const again = { ...named('TWO'), kernel: { ...kernel, version: '#2 SMP' } };
    const store = await storeWith(named('ONE'), again);
    await expect(selectKernel(store, { kernel: RELEASE, serials: [] }, nobody)).rejects.toMatchObject({
      code: 'WORKSPACE_AMBIGUOUS',
    });
  });

  it('takes a build that is not known for that of the same archive', async () => {
    const { kernel } = workspaceRecord();
    const imported = { ...named('imported'), kernel: { ...kernel, version: '' } };
    const store = await storeWith(named('ONE'), imported);
    const chosen = await selectKernel(store, { kernel: RELEASE, serials: [] }, nobody);
    expect(kernelOf(chosen)).toMatchObject({ release: RELEASE, sha256: SHA256 });
    const others = await storeWith(named('ONE'), { ...imported, ...otherArchive });
    await expect(selectKernel(others, { kernel: RELEASE, serials: [] }, nobody)).rejects.toMatchObject({
      code: 'WORKSPACE_AMBIGUOUS',
    });
  });

  it.each([
    ['its path', (store: Store) => join(store.workspaces, 'TWO', RELEASE)],
    ['its path with a slash at the end', (store: Store) => `${join(store.workspaces, 'TWO', RELEASE)}/`],
    ['its device', () => 'TWO'],
    ['a serial that its device was seen under', () => 'usb-TWO'],
    ['its device and release', () => `TWO/${RELEASE}`],
  ])('takes a workspace by %s', async (_, name) => {
    const store = await storeWith(named('ONE'), { ...named('TWO'), ...otherArchive });
    const workspace = await selectKernel(store, { workspace: name(store), serials: [] }, nobody);
    expect(kernelOf(workspace)).toMatchObject({ device: 'TWO', release: RELEASE, sha256: OTHER });
  });

  it('says what there is where nothing fits', async () => {
    const store = await storeWith(named('ONE'));
    for (const selection of [{ kernel: '9.9' }, { workspace: 'TWO' }, { workspace: '/tmp' }]) {
      await expect(selectKernel(store, { ...selection, serials: [] }, nobody)).rejects.toMatchObject({
        code: 'WORKSPACE_NOT_FOUND',
        hint: expect.stringContaining(`ONE/${RELEASE}`) as string,
      });
    }
  });

  it('refuses a workspace whose headers have gone', async () => {
    const store = await storeWith(named('ONE'));
    const { rm } = await import('node:fs/promises');
    await rm(join(store.trees, SHA256), { recursive: true });
    await expect(selectKernel(store, { workspace: 'ONE', serials: [] }, nobody)).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
    });
  });
});

describe('trustedKernel', () => {
  it('checks what was pulled before against the manifest of today', async () => {
    const store = await storeWith(named('ONE'));
    const manifestPath = join(store.home, 'list.md5');
    writeFileSync(manifestPath, `${'0'.repeat(32)}  ${RELEASE}\n`);
    const pull = { privilege: 'auto', requireManifest: true, force: false, manifestPath } as const;
    await expect(
      trustedKernel({ workspace: 'ONE', serials: [] }, pull, { store, emit: nobody }),
    ).rejects.toMatchObject({ code: 'VERIFY_MANIFEST' });
  });
});
