import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mergeTree, type MergedHeaders } from '../../../../src/kbuild/kernel-source/merged-tree';
import { fakeKernelSource } from '../../../support/fake-kernel-source';
import { writeHeaders } from '../../../support/fake-headers';
import { tempFolder } from '../../../support/temp-folder';

interface Merge {
  tree: string;
  path: string;
  headers: string;
  merged: MergedHeaders;
  text: (name: string) => Promise<string>;
}

/** Merges a source with the headers of a device: `files` and `device` are put into the two before. */
async function merge(files: Record<string, string>, device: Record<string, string>): Promise<Merge> {
  const root = await tempFolder();
  const { tree } = await fakeKernelSource(root, { files });
  const headers = await writeHeaders(join(root, 'headers'));
  const same = {
    'include/linux/kconfig.h': '\n#define KCONFIG 1\n',
    'arch/arm64/include/asm/page.h': '\n#define PAGE 1\n',
  };
  const own = { 'include/linux/compiler-version.h': '', 'include/linux/compiler_types.h': '' };
  for (const [name, text] of Object.entries({ ...same, ...device })) {
    await mkdir(dirname(join(headers, name)), { recursive: true });
    await writeFile(join(headers, name), text);
  }
  for (const [name, text] of Object.entries(own)) await writeFile(join(tree, name), text);
  const path = join(root, 'merged');
  const merged = await mergeTree({
    tree,
    headersPath: headers,
    path,
    srcArch: 'arm64',
    signal: AbortSignal.timeout(60_000),
  });
  return { tree, path, headers, merged, text: (name) => readFile(join(path, name), 'utf8') };
}

describe('mergeTree', () => {
  it('is a few links where the headers are those of the source but for comments', async () => {
    const { path, tree, merged } = await merge({}, {});
    expect(merged).toEqual({ replaced: [], added: [] });
    for (const name of ['include', 'arch', 'drivers', 'kernel', 'scripts', 'Makefile']) {
      expect(await readlink(join(path, name))).toBe(join(tree, name));
    }
  });

  it("puts the device's header where the source has another, and keeps the source's otherwise", async () => {
    const changed = {
      'include/linux/kconfig.h': '\n#define KCONFIG 2\n',
      'include/vendor/hook.h': '#define HOOK\n',
    };
    const { merged, text, tree, path } = await merge({}, changed);
    expect(merged).toEqual({ replaced: ['include/linux/kconfig.h'], added: ['include/vendor/hook.h'] });
    expect(await text('include/linux/kconfig.h')).toBe('\n#define KCONFIG 2\n');
    expect(await text('include/vendor/hook.h')).toBe('#define HOOK\n');
    expect(await text('include/linux/own.h')).toBe('/* of the source alone */\n');
    expect(await readlink(join(path, 'arch'))).toBe(join(tree, 'arch'));
  });

  it("leads from the source's headers to the device's where they name those by ..", async () => {
    const other = { 'include/a.h': '#define A 1\n', 'include/sub/b.h': '#include "../a.h"\n' };
    const { path } = await merge(other, { ...other, 'include/a.h': '#define A 2\n' });
    expect(await readFile(`${path}/include/sub/../a.h`, 'utf8')).toBe('#define A 2\n');
  });

  it("gives a header with a checksum a true one when it is the device's", async () => {
    const header = 'include/linux/atomic/atomic-long.h';
    const { text } = await merge({ [header]: 'a\n' }, { [header]: `b\n// ${'0'.repeat(40)}\n` });
    expect(await text(header)).toBe(`b\n// ${createHash('sha1').update('b\n').digest('hex')}\n`);
  });

  it('leaves behind what builds left in the source', async () => {
    const built = {
      '.config': '',
      'include/config/auto.conf': '',
      'include/generated/autoconf.h': 'of another kernel',
      'arch/arm64/include/generated/asm/x.h': '',
      'kernel/bounds.s': '',
      'kernel/.bounds.s.cmd': '',
      'scripts/mod/modpost': '',
      'scripts/mod/.modpost.cmd': '',
      'scripts/mod/elfconfig.h': '',
      'Module.symvers': '',
      vmlinux: '',
      '.git/HEAD': '',
    };
    const { path } = await merge(built, {});
    expect(await readdir(join(path, 'kernel'))).toEqual(['bounds.c']);
    expect(await readdir(join(path, 'scripts/mod'))).toEqual(['modpost.c']);
    expect((await readdir(join(path, 'include'))).sort()).toEqual(['linux']);
    expect(await readdir(join(path, 'arch/arm64/include'))).toEqual(['asm']);
    const top = await readdir(path);
    for (const name of ['.config', 'Module.symvers', 'vmlinux', '.git']) expect(top).not.toContain(name);
  });

  it('does not follow a link of the device that leads nowhere', async () => {
    const root = await tempFolder();
    const { tree } = await fakeKernelSource(root);
    const headers = await writeHeaders(join(root, 'headers'));
    await symlink('nowhere.h', join(headers, 'include/linux/lost.h'));
    await writeFile(join(tree, 'include/linux/lost.h'), 'x');
    const path = join(root, 'merged');
    await mergeTree({
      tree,
      headersPath: headers,
      path,
      srcArch: 'arm64',
      signal: AbortSignal.timeout(60_000),
    });
    expect(await readFile(join(path, 'include/linux/lost.h'), 'utf8')).toBe('x');
    expect((await lstat(join(path, 'include'))).isDirectory()).toBe(true);
  });
});
