import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findLabFile } from '../../../../src/app/lab/find-lab-file';
import { tempFolder } from '../../../support/temp-folder';

/** A home with a configuration folder and a project in it. */
async function home() {
  const folder = await tempFolder();
  const cwd = join(folder, 'work', 'project', 'deep');
  const configFolder = join(folder, '.config', 'kh');
  await mkdir(cwd, { recursive: true });
  await mkdir(configFolder, { recursive: true });
  const write = (path: string, jobs: number) => writeFile(join(folder, path), JSON.stringify({ jobs }));
  const find = (given?: string) => findLabFile({ given, cwd, env: { HOME: folder }, configFolder });
  return { folder, cwd, write, find };
}

describe('findLabFile', () => {
  it('finds none where there is none', async () => {
    const { find } = await home();
    expect(await find()).toBeUndefined();
  });

  it('takes the nearest one upward, up to the home, and then that of the user', async () => {
    const { write, find } = await home();
    await write('.config/kh/lab.json', 1);
    expect(await find()).toMatchObject({ jobs: 1 });
    await write('kh.lab.json', 2);
    expect(await find()).toMatchObject({ jobs: 2 });
    await write('work/kh.lab.json', 3);
    expect(await find()).toMatchObject({ jobs: 3 });
    await write('work/project/deep/kh.lab.json', 4);
    expect(await find()).toMatchObject({ jobs: 4 });
  });

  it('does not look above the home', async () => {
    const { folder, write } = await home();
    await write('kh.lab.json', 1);
    const inner = join(folder, 'work');
    const search = { cwd: join(inner, 'project'), env: { HOME: inner }, configFolder: join(folder, 'none') };
    expect(await findLabFile(search)).toBeUndefined();
  });

  it('takes the one that is named, from the working folder', async () => {
    const { write, find } = await home();
    await write('kh.lab.json', 1);
    await write('work/project/other.json', 2);
    expect(await find('../other.json')).toMatchObject({ jobs: 2 });
  });

  it('takes none where that is what is asked for', async () => {
    const { write, find } = await home();
    await write('kh.lab.json', 1);
    expect(await find('none')).toBeUndefined();
  });

  it('says which file is not there', async () => {
    const { cwd, find } = await home();
    await expect(find('gone.json')).rejects.toMatchObject({
      code: 'USAGE',
      message: `there is no lab file ${join(cwd, 'gone.json')}`,
    });
  });

  it('stops at one that is not valid, rather than going on without it', async () => {
    const { folder, write, find } = await home();
    await write('kh.lab.json', 1);
    await writeFile(join(folder, 'work', 'kh.lab.json'), '{"jobs": 0}');
    await expect(find()).rejects.toMatchObject({ code: 'USAGE', details: { key: 'jobs' } });
  });

  it('stops at one that cannot be read', async () => {
    const { cwd, find } = await home();
    await mkdir(join(cwd, 'kh.lab.json'));
    await expect(find()).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/EISDIR/) as string,
    });
  });

  it('passes over what somebody else put where everybody may write', async () => {
    const { cwd, write, find } = await home();
    await write('work/kh.lab.json', 1);
    await write('work/project/deep/kh.lab.json', 2);
    await chmod(cwd, 0o777);
    expect(await find()).toMatchObject({ jobs: 2 });
    const me = process.getuid?.() ?? 0;
    // Root's files are believed in any case, so root has to give it away.
    if (me === 0) await chown(join(cwd, 'kh.lab.json'), 12_345, 12_345);
    const uid = jest.spyOn(process as { getuid: () => number }, 'getuid').mockReturnValue(me + 1);
    try {
      expect(await find()).toMatchObject({ jobs: 1 });
    } finally {
      uid.mockRestore();
    }
  });
});
