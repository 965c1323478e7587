import { statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../../src/core/make-folder';
import { cleanUp, scratchFolder } from '../store/rig';

afterEach(cleanUp);

const onLinux = process.platform === 'linux' ? it : it.skip;

describe('makeFolder', () => {
  it('makes a folder and those above it, for the user alone', async () => {
    const root = scratchFolder();
    await makeFolder(join(root, 'a', 'b', 'c'), 0o700);
    for (const path of ['a', 'a/b', 'a/b/c']) expect(statSync(join(root, path)).mode & 0o777).toBe(0o700);
  });

  it('takes one that is there, and one that others make at the same time', async () => {
    const path = join(scratchFolder(), 'a', 'b');
    await Promise.all(Array.from({ length: 8 }, () => makeFolder(path, 0o700)));
    await makeFolder(path, 0o700);
    expect(statSync(path).isDirectory()).toBe(true);
  });

  it('fails where a file or a link to nothing is in the way', async () => {
    const root = scratchFolder();
    writeFileSync(join(root, 'file'), '');
    symlinkSync('nowhere', join(root, 'link'));
    await expect(makeFolder(join(root, 'file'), 0o700)).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeFolder(join(root, 'file', 'below'), 0o700)).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeFolder(join(root, 'link'), 0o700)).rejects.toMatchObject({ code: 'EEXIST' });
  });

  onLinux('fails, and comes back, where no folder can be made', async () => {
    await expect(makeFolder('/proc/nowhere/home', 0o700)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
