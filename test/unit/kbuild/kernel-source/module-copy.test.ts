import { mkdir, readdir, readFile, readlink, stat, symlink, utimes, writeFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { copyModule, extraSymbolFiles } from '../../../../src/kbuild/kernel-source/module-copy';
import { tempFolder } from '../../../support/temp-folder';

async function module(
  files: Record<string, string>,
): Promise<{ source: string; copy: string; sync: () => Promise<void> }> {
  const root = await tempFolder();
  const [source, copy] = [join(root, 'work/mymod'), join(root, 'build/x/mymod')];
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(source, name)), { recursive: true });
    await writeFile(join(source, name), text);
  }
  return { source, copy, sync: () => copyModule(source, copy, AbortSignal.timeout(60_000)) };
}

const listing = async (folder: string) => (await readdir(folder, { recursive: true })).sort();

describe('copyModule', () => {
  it('copies the sources with their times, and leaves behind what builds made', async () => {
    const { source, copy, sync } = await module({
      Makefile: 'obj-m := a.o\n',
      'a.c': 'x',
      'sub/b.h': 'y',
      'blob.o': 'came with the source',
      'a.o': '',
      '.a.o.cmd': '',
      'a.mod': '',
      'a.mod.c': '',
      'a.ko': '',
      '.a.ko.cmd': '',
      'modules.order': '',
      'Module.symvers': '',
      '.git/HEAD': '',
    });
    await utimes(join(source, 'a.c'), 1000, 2000.5);
    await sync();
    expect(await listing(copy)).toEqual(['.kh-copied', 'Makefile', 'a.c', 'blob.o', 'sub', 'sub/b.h']);
    expect((await stat(join(copy, 'a.c'))).mtimeMs).toBe(2_000_500);
  });

  it('leaves what a build made in the copy, renews what changed, and drops what has gone', async () => {
    const { source, copy, sync } = await module({ Makefile: '', 'a.c': '1', 'b.c': '1' });
    await sync();
    await writeFile(join(copy, 'a.o'), 'object');
    const before = (await stat(join(copy, 'Makefile'))).ino;
    await writeFile(join(source, 'a.c'), '22');
    await rm(join(source, 'b.c'));
    await sync();
    expect(await readFile(join(copy, 'a.c'), 'utf8')).toBe('22');
    expect(await listing(copy)).toEqual(['.kh-copied', 'Makefile', 'a.c', 'a.o']);
    expect((await stat(join(copy, 'Makefile'))).ino).toBe(before);
  });

  it('follows links, and lets nothing that is written to the copy reach what they lead to', async () => {
    const { source, copy, sync } = await module({ Makefile: '', 'real.c': 'x' });
    await symlink('real.c', join(source, 'link.c'));
    await symlink('.', join(source, 'circle'));
    await symlink('nowhere', join(source, 'lost.c'));
    await mkdir(join(source, '../shared'));
    await writeFile(join(source, '../shared/s.h'), 's');
    await symlink('../shared', join(source, 'shared'));
    await sync();
    await writeFile(join(copy, 'link.c'), 'written');
    expect(await readFile(join(source, 'real.c'), 'utf8')).toBe('x');
    expect(await listing(copy)).toEqual([
      '.kh-copied',
      'Makefile',
      'link.c',
      'real.c',
      'shared',
      'shared/s.h',
    ]);
  });

  it('finds beside the copy what is beside the source, as it is now', async () => {
    const { source, copy, sync } = await module({ Makefile: '', '../common/x.h': 'x', '../old/y.h': 'y' });
    await sync();
    expect(await readFile(join(copy, '../common/x.h'), 'utf8')).toBe('x');
    await rm(join(source, '../old'), { recursive: true });
    await sync();
    expect((await readdir(join(copy, '..'))).sort()).toEqual(['common', 'mymod']);
    expect(await readlink(join(copy, '../common'))).toBe(join(source, '../common'));
  });

  it.each(['x-y := ../common/y.o', 'x-objs:=main.o ../y.o', 'obj-m = ../y.o'])(
    'refuses objects that would be made beside the source: %s',
    async (line) => {
      const { sync } = await module({ Makefile: `obj-m := x.o\n${line}\n` });
      await expect(sync()).rejects.toMatchObject({ code: 'BUILD_BAD_PATH' });
    },
  );
});

describe('extraSymbolFiles', () => {
  it("are those that the kernel's modpost was given besides the kernel's own", async () => {
    const folder = await tempFolder();
    const command =
      'cmd_/m/Module.symvers := sed x | scripts/mod/modpost -m -o /m/Module.symvers -e -i Module.symvers -i /a/Module.symvers -i b/Module.symvers -T -\n';
    await writeFile(join(folder, '.Module.symvers.cmd'), command);
    expect(await extraSymbolFiles(folder, '/k')).toEqual(['/a/Module.symvers', '/k/b/Module.symvers']);
  });

  it('are none where there is no record', async () => {
    expect(await extraSymbolFiles(await tempFolder(), '/k')).toEqual([]);
  });
});
