import { chmodSync, chownSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { findStore, homeFolder, openStore } from '../../../src/store/layout';
import { cleanUp, scratchFolder } from './rig';

afterEach(cleanUp);

const asRoot = process.getuid?.() === 0 ? it : it.skip;

describe('homeFolder', () => {
  it.each<[NodeJS.ProcessEnv, NodeJS.Platform, string]>([
    [{ KH_HOME: '/lab/kh', XDG_DATA_HOME: '/data' }, 'linux', '/lab/kh'],
    [{ KH_HOME: 'here' }, 'linux', resolve('here')],
    [{ KH_HOME: '', XDG_DATA_HOME: '/data' }, 'linux', '/data/kh'],
    [{ XDG_DATA_HOME: 'relative', HOME: '/home/ada' }, 'linux', '/home/ada/.local/share/kh'],
    [{ HOME: '/Users/ada' }, 'darwin', '/Users/ada/.local/share/kh'],
    [{ LOCALAPPDATA: 'C:\\Users\\ada\\AppData\\Local' }, 'win32', 'C:\\Users\\ada\\AppData\\Local\\kh'],
    [{}, 'linux', join(homedir(), '.local/share/kh')],
  ])('reads %j on %s as %s', (env, platform, expected) => {
    expect(homeFolder(env, platform)).toBe(expected);
  });
});

describe('openStore', () => {
  it('makes its folders for the user alone, and opens them again', async () => {
    const home = join(scratchFolder(), 'deep', 'home');
    const store = await openStore({ home });
    expect(await openStore({ home })).toMatchObject({ home: store.home, trees: store.trees });
    for (const folder of [home, join(home, 'v1'), store.archives, store.tmp]) {
      expect(statSync(folder).mode & 0o777).toBe(0o700);
    }
  });

  it('lets the folders of another version be', async () => {
    const home = scratchFolder();
    mkdirSync(join(home, 'v2', 'trees'), { recursive: true });
    await openStore({ home });
    expect(statSync(join(home, 'v2', 'trees')).isDirectory()).toBe(true);
  });

  it('says so when the folder is a file', async () => {
    const home = join(scratchFolder(), 'file');
    writeFileSync(home, '');
    await expect(openStore({ home })).rejects.toMatchObject({ code: 'STORE_IO', details: { path: home } });
  });

  asRoot(
    'refuses a folder that another user owns and others may write to (making one takes root)',
    async () => {
      const home = scratchFolder();
      chownSync(home, 12345, 12345);
      chmodSync(home, 0o777);
      await expect(openStore({ home })).rejects.toMatchObject({
        code: 'STORE_DENIED',
        message: expect.stringContaining('uid 12345') as string,
      });
    },
  );

  it('refuses a folder of the user that everyone may write to', async () => {
    const home = scratchFolder();
    chmodSync(home, 0o777);
    await expect(openStore({ home })).rejects.toMatchObject({
      code: 'STORE_DENIED',
      message: expect.stringContaining('everyone may write to it') as string,
    });
  });

  it('keeps a store private in a folder that the group may write to without setgid', async () => {
    const home = scratchFolder();
    chmodSync(home, 0o775);
    const store = await openStore({ home });
    expect(store.modes.shared).toBe(false);
    expect(statSync(join(home, 'v1')).mode & 0o777).toBe(0o700);
  });

  it('opens to the group a store in a folder that is shared, and to nobody else', async () => {
    const home = scratchFolder();
    chmodSync(home, 0o2770);
    const umask = process.umask(0o077);
    try {
      const store = await openStore({ home });
      expect(store.modes).toMatchObject({ shared: true, folder: 0o770, file: 0o660 });
      for (const folder of [join(home, 'v1'), store.archives, store.tmp]) {
        expect(statSync(folder).mode & 0o777).toBe(0o770);
      }
    } finally {
      process.umask(umask);
    }
  });

  it('does not share what was private, nor the other way round, without being told', async () => {
    const home = scratchFolder();
    await openStore({ home });
    chmodSync(home, 0o2770);
    await expect(openStore({ home })).rejects.toMatchObject({
      code: 'STORE_DENIED',
      message: expect.stringContaining('shared by a group') as string,
    });
  });
});

describe('findStore', () => {
  it('makes nothing where there is no store', async () => {
    const home = join(scratchFolder(), 'none');
    const store = await findStore({ home });
    expect(store.workspaces).toBe(join(home, 'v1/workspaces'));
    expect(existsSync(home)).toBe(false);
  });

  it('finds the store that is there, with its modes', async () => {
    const home = scratchFolder();
    chmodSync(home, 0o2770);
    const opened = await openStore({ home });
    expect((await findStore({ home })).modes).toEqual(opened.modes);
  });

  it('refuses one that everyone may write to', async () => {
    const home = scratchFolder();
    await openStore({ home });
    chmodSync(home, 0o777);
    await expect(findStore({ home })).rejects.toMatchObject({ code: 'STORE_DENIED' });
  });
});
