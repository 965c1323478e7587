import {
  existsSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import promises from 'node:fs/promises';
import { join } from 'node:path';
import { addArchive } from '../../../src/store/archives';
import type { Store } from '../../../src/store/layout';
import {
  findWorkspaces,
  listWorkspaces,
  referencedArchives,
  readWorkspace,
  removeWorkspace,
  workspacePath,
  writeWorkspace,
} from '../../../src/store/workspaces';
import { MD5, RELEASE, SHA256, archiveFacts, cleanUp, filledStage, newStore, workspaceRecord } from './rig';

afterEach(cleanUp);

const OTHER = 'ef'.repeat(32);

async function storeWith(...digests: string[]): Promise<Store> {
  const store = await newStore();
  for (const sha256 of digests) {
    await using stage = await filledStage(store);
    await addArchive(store, stage, archiveFacts({ sha256 }));
  }
  return store;
}

const archived = (sha256: string) => ({ archive: { sha256, md5: MD5, bytes: 1000 } });
const named = (name: string) => ({ device: { name, serialno: name, serials: [`usb-${name}`] } });

describe('writeWorkspace', () => {
  it('makes a folder with the record, the configuration, and a link to the tree', async () => {
    const store = await storeWith(SHA256);
    const workspace = await writeWorkspace(store, workspaceRecord(), {
      config: Buffer.from('CONFIG_BPF=y\n'),
    });
    expect(workspace.path).toBe(join(store.workspaces, 'PIXEL', RELEASE));
    expect(readdirSync(workspace.path).sort()).toEqual(['config', 'headers', 'workspace.json']);
    expect(readFileSync(join(workspace.path, 'config'), 'utf8')).toBe('CONFIG_BPF=y\n');
    expect(realpathSync(workspace.headersPath)).toBe(realpathSync(join(store.trees, SHA256)));
    expect(readlinkSync(workspace.headersPath)).toBe(`../../../trees/${SHA256}`);
    expect(await readWorkspace(store, 'PIXEL', RELEASE)).toEqual(workspace);
    expect([store.tmp, store.locks].flatMap((folder) => readdirSync(folder))).toEqual([]);
  });

  it('keeps the configuration of the same build when none is given, and drops that of another', async () => {
    const store = await storeWith(SHA256);
    const record = workspaceRecord();
    const { path } = await writeWorkspace(store, record, { config: Buffer.from('x') });
    await writeWorkspace(store, record);
    expect(existsSync(join(path, 'config'))).toBe(true);
    await writeWorkspace(store, { ...record, kernel: { ...record.kernel, version: '#2' } });
    expect(existsSync(join(path, 'config'))).toBe(false);
  });

  it('refuses a record whose tree is not in the store', async () => {
    const store = await storeWith();
    await expect(writeWorkspace(store, workspaceRecord())).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    expect(await listWorkspaces(store)).toEqual([]);
  });

  it('names the tree in a file where the file system has no symbolic links', async () => {
    const store = await storeWith(SHA256);
    const noLinks = Object.assign(new Error('EPERM: operation not permitted'), {
      code: 'EPERM',
      syscall: 'symlink',
    });
    const symlink = jest.spyOn(promises, 'symlink').mockRejectedValue(noLinks);
    try {
      const { path, headersPath } = await writeWorkspace(store, workspaceRecord());
      expect(headersPath).toBe(join(store.trees, SHA256));
      expect(readFileSync(join(path, 'headers'), 'utf8')).toBe(`../../../trees/${SHA256}`);
    } finally {
      symlink.mockRestore();
    }
    expect(await listWorkspaces(store)).toMatchObject([{ headersPath: join(store.trees, SHA256) }]);
    expect(await referencedArchives(store)).toEqual(new Set([SHA256]));
    expect(readdirSync(store.tmp)).toEqual([]);
  });

  it('leaves one of the records, and the tree that goes with it, when several write at once', async () => {
    const store = await storeWith(SHA256, OTHER);
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        writeWorkspace(store, workspaceRecord(archived(i % 2 === 0 ? SHA256 : OTHER))),
      ),
    );
    const path = workspacePath(store, 'PIXEL', RELEASE);
    const { archive } = JSON.parse(readFileSync(join(path, 'workspace.json'), 'utf8')) as {
      archive: { sha256: string };
    };
    expect(readlinkSync(join(path, 'headers'))).toBe(`../../../trees/${archive.sha256}`);
  });
});

describe('readWorkspace', () => {
  it('gives nothing where there is none', async () => {
    const store = await storeWith();
    expect(await readWorkspace(store, 'PIXEL', RELEASE)).toBeUndefined();
    expect(await readWorkspace(store, '../..', '..')).toBeUndefined();
  });

  it('mends the link that a killed write left ahead of the record', async () => {
    const store = await storeWith(SHA256, OTHER);
    const { headersPath } = await writeWorkspace(store, workspaceRecord());
    rmSync(headersPath);
    symlinkSync(`../../../trees/${OTHER}`, headersPath);
    expect((await readWorkspace(store, 'PIXEL', RELEASE))?.record.archive.sha256).toBe(SHA256);
    expect(readlinkSync(headersPath)).toBe(`../../../trees/${SHA256}`);
  });

  it('refuses a record that is damaged, and says what to do', async () => {
    const store = await storeWith(SHA256);
    const { path } = await writeWorkspace(store, workspaceRecord());
    writeFileSync(join(path, 'workspace.json'), '{"workspace": 1, "device": {}}');
    await expect(readWorkspace(store, 'PIXEL', RELEASE)).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      hint: expect.stringContaining('kh workspace remove') as string,
    });
  });

  it('refuses a record that was copied from another workspace', async () => {
    const store = await storeWith(SHA256);
    const { path } = await writeWorkspace(store, workspaceRecord());
    const other = await writeWorkspace(store, workspaceRecord(named('OTHER')));
    writeFileSync(join(other.path, 'workspace.json'), readFileSync(join(path, 'workspace.json')));
    await expect(readWorkspace(store, 'OTHER', RELEASE)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });
});

describe('findWorkspaces', () => {
  it('finds by name, by either kind of serial, and by release', async () => {
    const store = await storeWith(SHA256);
    await writeWorkspace(store, workspaceRecord(named('B')));
    await writeWorkspace(store, workspaceRecord(named('A')));
    const names = async (query: Parameters<typeof findWorkspaces>[1]) =>
      (await findWorkspaces(store, query)).map(({ record }) => record.device.name);
    expect(await names({})).toEqual(['A', 'B']);
    expect(await names({ name: 'A' })).toEqual(['A']);
    expect(await names({ serial: 'usb-B' })).toEqual(['B']);
    expect(await names({ serial: 'B' })).toEqual(['B']);
    expect(await names({ release: RELEASE, serial: 'A' })).toEqual(['A']);
    expect(await names({ release: '5.10.0' })).toEqual([]);
  });

  it('leaves out what is damaged, and tells', async () => {
    const store = await storeWith(SHA256);
    await writeWorkspace(store, workspaceRecord(named('A')));
    const { path } = await writeWorkspace(store, workspaceRecord(named('B')));
    writeFileSync(join(path, 'workspace.json'), '');
    writeFileSync(join(store.workspaces, 'stray'), '');
    writeFileSync(join(store.workspaces, 'A', 'stray'), '');
    const damaged: string[] = [];
    const found = await listWorkspaces(store, (error) => damaged.push(error.message));
    expect(found.map(({ record }) => record.device.name)).toEqual(['A']);
    expect(damaged).toEqual([expect.stringContaining(path)]);
  });
});

describe('removeWorkspace', () => {
  it('tells which archive nobody refers to any more, and leaves it', async () => {
    const store = await storeWith(SHA256);
    await writeWorkspace(store, workspaceRecord(named('A')));
    await writeWorkspace(store, workspaceRecord(named('B')));
    expect(await removeWorkspace(store, 'A', RELEASE)).toEqual({ unreferenced: [] });
    expect(await removeWorkspace(store, 'B', RELEASE)).toEqual({ unreferenced: [SHA256] });
    expect(readdirSync(store.workspaces)).toEqual([]);
    expect(readdirSync(store.trees)).toEqual([SHA256]);
  });

  it('removes a damaged one too', async () => {
    const store = await storeWith(SHA256);
    const { path } = await writeWorkspace(store, workspaceRecord());
    writeFileSync(join(path, 'workspace.json'), 'rubbish');
    expect(await removeWorkspace(store, 'PIXEL', RELEASE)).toEqual({ unreferenced: [SHA256] });
    expect(existsSync(path)).toBe(false);
  });

  it('says so where there is none', async () => {
    const store = await storeWith();
    await expect(removeWorkspace(store, 'PIXEL', RELEASE)).rejects.toMatchObject({
      code: 'WORKSPACE_NOT_FOUND',
    });
  });
});
