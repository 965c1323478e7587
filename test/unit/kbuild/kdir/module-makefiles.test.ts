import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { kernelVersion, readKernelConfig } from '../../../../src/kbuild/kernel-config';
import { compileCommands } from '../../../../src/kbuild/compile-commands/compile-commands';
import { writeKdir } from '../../../../src/kbuild/kdir/write-kdir';
import { writeHeaders } from '../../../support/fake-headers';
import { fakeTools, type FakeTools } from '../../../support/fake-toolchain';
import { tempFolder } from '../../../support/temp-folder';

jest.setTimeout(60_000); // Makes and shells take their time on a busy machine.

let root: string;
let kdir: string;
let tools: FakeTools;

beforeAll(async () => {
  root = await tempFolder();
  tools = await fakeTools(join(root, 'tools'));
  const headersPath = await writeHeaders(join(root, 'headers'), {
    options: { ARM64: 'y', TEST_ON: 'y', TEST_MODULE_TOO: 'm' },
  });
  kdir = join(root, 'kdir');
  await writeKdir({
    kdirPath: kdir,
    headersPath,
    arch: 'arm64',
    config: readKernelConfig(headersPath),
    version: kernelVersion(headersPath),
    toolchain: {
      compiler: { kind: 'clang', version: 160006, command: [tools.cc], text: 'fake' },
      linker: { command: [tools.ld], text: 'fake LLD' },
      origin: 'path',
      notes: [],
    },
    flags: {
      c: [
        { group: 'base', flags: ['-D__KERNEL__', '-O2'] },
        { group: 'cfi', flags: ['-fsanitize=kcfi'] },
        { group: 'ftrace', flags: ['-fpatchable-function-entry=2'] },
      ],
      asm: ['-D__KERNEL__', '-D__ASSEMBLY__'],
      afterKconfig: [],
      notes: [],
    },
    modpost: [tools.modpost],
    signal: AbortSignal.timeout(60_000),
  });
  await tools.asked();
});

interface Built {
  status: number;
  output: string;
  /** What the compiler, the linker and modpost were asked. */
  asked: string[];
  /** What was made of what, in short: `cc a.o`, `ld m.ko`, `modpost`. */
  made: string[];
}

/** `make -C KDIR M=… ARGS`, as people write it. */
async function make(source: string, ...args: string[]): Promise<Built> {
  return run([`M=${source}`, ...args]);
}

function run(args: string[], environment: NodeJS.ProcessEnv = {}): Promise<Built> {
  return new Promise((resolve) => {
    // What runs the tests must not tell make how to run.
    const env = { ...environment, PATH: process.env['PATH'], LC_ALL: 'C' };
    execFile('make', ['--no-print-directory', '-C', kdir, ...args], { env }, (error, stdout, stderr) => {
      void tools.asked().then((lines) => {
        const asked = lines.filter((line) => !line.includes('/dev/null'));
        const status = error === null ? 0 : 1;
        resolve({ status, output: stdout + stderr, asked, made: asked.map(shortly) });
      });
    });
  });
}

function shortly(line: string): string {
  const [tool = ''] = line.split(' ');
  const out = / -o \S*\/([^/ ]+)/.exec(line)?.[1];
  return out === undefined ? tool : `${tool} ${out}`;
}

let modules = 0;

/** A module's folder with these files, and a place for its objects. */
async function module(
  files: Record<string, string>,
): Promise<{ source: string; out: string; place: string }> {
  const folder = join(root, `module${++modules}`);
  const source = join(folder, 'source');
  for (const [name, text] of Object.entries(files)) await put(join(source, name), text);
  const out = join(folder, 'out');
  return { source, out, place: `KH_OUT=${out}` };
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  // A second before now: what is made next is newer, on a coarse clock as well.
  const past = new Date(Date.now() - 1000);
  await utimes(path, past, past);
}

/** Writes a file as someone does who edits it after a build. */
async function edit(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  const later = new Date(Date.now() + 2000);
  await utimes(path, later, later);
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort();
}

function command(built: Built, object: string): string {
  const found = built.asked.find((line) => line.includes(`/${object} `) && line.startsWith('cc '));
  if (found === undefined) throw new Error(`${object} was not compiled:\n${built.output}`);
  return found;
}

describe('the list of compile commands', () => {
  const files = {
    Makefile:
      'obj-m := one.o many.o sub/\nmany-y := a.o parts/b.o c.o blob.o\nCFLAGS_a.o := -DTEXT="\\"a b\\""\n',
    'one.c': '',
    'a.c': '',
    'parts/b.c': '',
    'c.S': '',
    'blob.o_shipped': '',
    'sub/Makefile': 'obj-m := below.o\n',
    'sub/below.c': '',
  };

  it('holds every source of every module, as it was compiled, also when nothing is built anew', async () => {
    const { source, out, place } = await module(files);
    const built = await make(source, place);
    expect((await make(source, place)).made).toEqual([]);
    const commands = compileCommands(out, kdir);
    const sources = ['a.c', 'c.S', 'one.c', 'parts/b.c', 'sub/below.c'];
    expect(commands.map(({ file }) => file).sort()).toEqual(sources.map((name) => join(source, name)));
    for (const { directory, output, arguments: words } of commands) {
      expect(directory).toBe(kdir);
      expect(words[0]).toBe(tools.cc);
      expect(words).not.toContain('-MF');
      expect(command(built, output.slice(out.length + 1))).toContain(words.slice(1, 5).join(' '));
    }
    expect(commands.find(({ file }) => file.endsWith('/a.c'))?.arguments).toContain('-DTEXT="a b"');
  });

  it('forgets a source that is no part of a module any more', async () => {
    const { source, out, place } = await module(files);
    await make(source, place);
    await edit(join(source, 'Makefile'), 'obj-m := many.o\nmany-y := a.o\n');
    expect((await make(source, place)).status).toBe(0);
    expect(compileCommands(out, kdir).map(({ file }) => file)).toEqual([join(source, 'a.c')]);
  });

  it('is empty where nothing was built', async () => {
    expect(compileCommands((await module(files)).out, kdir)).toEqual([]);
  });
});

describe('a module made of one source', () => {
  it('is compiled, seen by modpost, completed and linked, away from its source', async () => {
    const { source, out, place } = await module({
      Makefile: 'obj-m := hello.o\n',
      'hello.c': '/* hello */\n',
    });
    const built = await make(source, place);
    expect(built.status).toBe(0);
    expect(built.made).toEqual(['cc hello.o', 'modpost', 'cc hello.mod.o', 'ld hello.ko']);
    expect(await filesOf(source)).toEqual(['Makefile', 'hello.c']);
    expect(await readFile(join(out, 'hello.ko'), 'utf8')).toContain('/* hello */');
  });

  it('is made beside its source when make is called by hand', async () => {
    const { source } = await module({ Makefile: 'obj-m := hello.o\n', 'hello.c': '' });
    expect((await make(source)).status).toBe(0);
    expect(await filesOf(source)).toEqual(
      expect.arrayContaining(['hello.ko', 'Module.symvers', 'modules.order']),
    );
  });

  it('takes MO= as Linux 6.13 has it', async () => {
    const { source, out } = await module({ Makefile: 'obj-m := hello.o\n', 'hello.c': '' });
    expect((await make(source, `MO=${out}`)).status).toBe(0);
    expect(await filesOf(out)).toContain('hello.ko');
  });

  it('knows its names', async () => {
    const { source, place } = await module({ Makefile: 'obj-m := my-mod.o\n', 'my-mod.c': '' });
    const line = command(await make(source, place), 'my-mod.o');
    expect(line).toContain(
      '-DKBUILD_BASENAME="my_mod" -DKBUILD_MODNAME="my_mod" -D__KBUILD_MODNAME=kmod_my_mod',
    );
  });

  it('is completed without CFI flags', async () => {
    const { source, place } = await module({ Makefile: 'obj-m := hello.o\n', 'hello.c': '' });
    const built = await make(source, place);
    expect(command(built, 'hello.o')).toContain('-fsanitize=kcfi');
    expect(command(built, 'hello.mod.o')).not.toContain('-fsanitize=kcfi');
  });
});

describe('a module made of several sources', () => {
  const files = {
    Makefile: [
      'obj-m := big.o',
      'big-objs := one.o',
      'big-y += parts/two.o ../shared/four.o',
      'big-$(CONFIG_TEST_ON) += three.o',
      'big-$(CONFIG_TEST_OFF) += never.o',
      '',
    ].join('\n'),
    'one.c': '/* 1 */\n',
    'parts/two.c': '/* 2 */\n',
    'three.S': '/* 3 */\n',
    '../shared/four.c': '/* 4 */\n',
  };

  it('is linked from its parts, whatever folder they are in, in the order they are listed', async () => {
    const { source, out, place } = await module(files);
    const built = await make(source, place);
    expect(built.output).not.toMatch(/\*\*\*/);
    const linked = await readFile(join(out, 'big.ko'), 'utf8');
    expect(linked.match(/\/\* \d \*\//g)).toEqual(['/* 1 */', '/* 2 */', '/* 4 */', '/* 3 */']);
  });

  it('leaves nothing outside the folder for objects, not of sources above its own either', async () => {
    const { source, out, place } = await module(files);
    await make(source, place);
    const outside = (await filesOf(dirname(source))).filter((name) => !name.startsWith('out/'));
    expect(outside.sort()).toEqual(
      ['shared/four.c', ...(await filesOf(source)).map((name) => `source/${name}`)].sort(),
    );
    expect(await filesOf(out)).toContain('.up/shared/four.o');
  });

  it('gives every part the name of the module', async () => {
    const { source, place } = await module(files);
    const built = await make(source, place);
    for (const part of ['one.o', 'two.o', 'three.o', 'four.o']) {
      expect(command(built, part)).toContain('-DKBUILD_MODNAME="big"');
    }
  });

  it('is linked anew, and nothing compiled, when a part is no longer listed', async () => {
    const { source, out, place } = await module(files);
    await make(source, place);
    await edit(join(source, 'Makefile'), files.Makefile.replace(' ../shared/four.o', ''));
    expect((await make(source, place)).made).toEqual(['ld big.o', 'modpost', 'ld big.ko']);
    expect(await readFile(join(out, 'big.ko'), 'utf8')).not.toContain('/* 4 */');
  });
});

describe('flags', () => {
  it('reach the objects that a Makefile says', async () => {
    const { source, place } = await module({
      Makefile: [
        'obj-m := m.o sub/',
        'm-y := a.o b.o deep/c.o s.o',
        'ccflags-y := -Dccflags',
        'ccflags-$(CONFIG_TEST_ON) += -Dconditional',
        'EXTRA_CFLAGS += -Dextra',
        'CFLAGS_a.o := -Donly_a',
        'CFLAGS_deep/c.o := -Donly_c',
        'CFLAGS_REMOVE_b.o = $(CC_FLAGS_CFI)',
        'subdir-ccflags-y := -Dsubdir',
        'asflags-y := -Dasflags',
        'AFLAGS_s.o := -Donly_s',
        '',
      ].join('\n'),
      'a.c': '',
      'b.c': '',
      'deep/c.c': '',
      's.S': '',
      'sub/Makefile': 'obj-m := n.o\n',
      'sub/n.c': '',
    });
    const built = await make(source, place, 'KCFLAGS=-Dkcflags', 'KAFLAGS=-Dkaflags');
    const defines = (object: string): string[] =>
      (command(built, object).match(/-D[a-z]\w*|-fsanitize=kcfi/g) ?? []).sort();
    const everywhere = ['-Dccflags', '-Dconditional', '-Dextra', '-Dkcflags', '-Dsubdir', '-fsanitize=kcfi'];
    expect(defines('a.o')).toEqual([...everywhere, '-Donly_a'].sort());
    expect(defines('b.o')).toEqual(everywhere.filter((flag) => flag !== '-fsanitize=kcfi'));
    expect(defines('c.o')).toEqual([...everywhere, '-Donly_c'].sort());
    expect(defines('s.o')).toEqual(['-Dasflags', '-Dkaflags', '-Donly_s']);
    expect(defines('n.o')).toEqual(['-Dkcflags', '-Dsubdir', '-fsanitize=kcfi']);
  });

  it('may ask the compiler and the linker what they know', async () => {
    const { source, place } = await module({
      Makefile: [
        'obj-m := a.o',
        'ccflags-y := $(call cc-option,-Dbroken,-Dfallback) $(call cc-option,-Dworks)',
        'ccflags-y += -Dyn_$(call cc-option-yn,-Dbroken) $(call cc-disable-warning,some-warning)',
        'ccflags-y += $(call ld-option,--anything)',
        '',
      ].join('\n'),
      'a.c': '',
    });
    const line = command(await make(source, place), 'a.o');
    expect(line).toContain('-Dfallback -Dworks -Dyn_n -Wno-some-warning --anything');
  });

  it('with $(obj) in them find what lies in the source folder', async () => {
    const { source, place } = await module({
      Makefile: 'obj-m := a.o\nccflags-y := -I$(obj)/inc\n',
      'a.c': '',
    });
    expect(command(await make(source, place), 'a.o')).toContain(`-I${source}/inc `);
  });

  it('with quoted texts arrive as they are', async () => {
    const { source, place } = await module({
      Makefile: `obj-m := a.o\nccflags-y := -Dtext='"a b"'\n`,
      'a.c': '',
    });
    expect(command(await make(source, place), 'a.o')).toContain('-Dtext="a b" ');
  });
});

describe('a second build', () => {
  const files = {
    Makefile: 'obj-m := m.o other.o\nm-y := a.o b.o\n',
    'a.c': '#include "a.h"\n',
    'b.c': '/* b */\n',
    'other.c': '',
    'a.h': '/* h */\n',
  };

  it('does nothing', async () => {
    const { source, place } = await module(files);
    await make(source, place);
    const again = await make(source, place);
    expect([again.status, again.asked]).toEqual([0, []]);
  });

  it('makes what a changed header goes into', async () => {
    const { source, place } = await module(files);
    await make(source, place);
    await edit(join(source, 'a.h'), '/* new */\n');
    expect((await make(source, place)).made).toEqual(['cc a.o', 'ld m.o', 'modpost', 'ld m.ko']);
  });

  it('makes what a header went into that is gone', async () => {
    const { source, place } = await module(files);
    await make(source, place);
    await rm(join(source, 'a.h'));
    await edit(join(source, 'a.c'), '');
    expect((await make(source, place)).made).toContain('cc a.o');
  });

  it('makes what a flag was added to, and nothing else', async () => {
    const { source, place } = await module(files);
    await make(source, place);
    await edit(join(source, 'Makefile'), `${files.Makefile}CFLAGS_b.o := -Dnew\n`);
    expect((await make(source, place)).made).toEqual(['cc b.o', 'ld m.o', 'modpost', 'ld m.ko']);
  });

  it('makes again what a failed build left over', async () => {
    const { source, place } = await module(files);
    await make(source, place);
    const failed = await make(source, place, 'KCFLAGS=-Dbroken');
    expect(failed.status).toBe(1);
    expect(failed.output).toContain('cc: error: broken');
    expect((await make(source, place)).asked).toEqual([]);
    expect((await make(source, place, 'KCFLAGS=-Dbroken')).status).toBe(1);
  });

  it.each(['', 'kh_call_sites=nops'])(
    'links what was compiled last, also from what modpost made of it: %s',
    async (form) => {
      const { source, out, place } = await module({ Makefile: 'obj-m := a.o\n', 'a.c': '/* first */\n' });
      const words = [place, ...(form === '' ? [] : [form])];
      await make(source, ...words);
      await edit(join(source, 'a.c'), '/* second */\n');
      const built = await make(source, ...words);
      expect(built.made).toEqual(['cc a.o', 'modpost', 'ld a.ko']);
      expect(built.asked.join('\n')).toMatch(
        form === '' ? / \S+\/a\.o \S+\/a\.mod\.o$/m : / \S+\/a\.traceable\.o \S+\/a\.mod\.o$/m,
      );
      expect(await readFile(join(out, 'a.ko'), 'utf8')).toContain('/* second */');
    },
  );

  it('asks modpost again until it agrees, and links nothing before', async () => {
    const { source, out, place } = await module({ Makefile: 'obj-m := a.o\n', 'a.c': 'undefined\n' });
    for (const attempt of [1, 2]) {
      const failed = await make(source, place);
      expect([attempt, failed.status, await filesOf(out)]).toEqual([
        attempt,
        1,
        expect.not.arrayContaining(['a.ko']),
      ]);
    }
    await edit(join(source, 'a.c'), '/* fine */\n');
    expect((await make(source, place)).status).toBe(0);
  });
});

describe('what else Makefiles do', () => {
  it('reads Kbuild in place of Makefile, under KERNELRELEASE, with its folder and the kernel’s', async () => {
    const { source, out, place } = await module({
      Makefile: '$(error Makefile was read)\n',
      Kbuild: [
        'ifneq ($(KERNELRELEASE),)',
        'include rules.mk',
        '$(info $(KERNELRELEASE) $(VERSION).$(PATCHLEVEL) $(ARCH) $(SRCARCH) $(src) $(obj) $(srctree))',
        'endif',
        '',
      ].join('\n'),
      'rules.mk': 'obj-$(CONFIG_TEST_MODULE_TOO) := a.o\n',
      'a.c': '',
    });
    const built = await make(source, place);
    expect(built.output).toContain(`6.1.75-test 6.1 arm64 arm64 ${source} ${out} ${kdir}\n`);
    expect(built.made).toContain('ld a.ko');
  });

  it('copies what was shipped', async () => {
    const { source, out, place } = await module({
      Makefile: 'obj-m := m.o\nm-y := a.o blob.o\n',
      'a.c': '',
      'blob.o_shipped': '/* blob */\n',
    });
    await make(source, place);
    expect(await readFile(join(out, 'm.ko'), 'utf8')).toContain('/* blob */');
  });

  it('makes sources by rules of the Makefile, by programs of this machine, and only when it must', async () => {
    const { source, out, place } = await module({
      Makefile: [
        'obj-m := a.o',
        'hostprogs := tool',
        'quiet_cmd_gen = GEN     $@',
        '      cmd_gen = cat $< >$@',
        '$(obj)/gen.h: $(src)/gen.in $(obj)/tool FORCE',
        '\t$(call if_changed,gen)',
        '$(obj)/a.o: $(obj)/gen.h',
        'always-y := stamp',
        '$(obj)/stamp:',
        '\ttouch $@',
        'clean-files := gen.h',
        '',
      ].join('\n'),
      'a.c': '#include "gen.h"\n',
      'gen.in': '/* generated */\n',
      'tool.c': '',
    });
    const host = `HOSTCC=${tools.cc}`;
    expect((await make(source, place, host)).made).toEqual(expect.arrayContaining(['cc tool', 'cc a.o']));
    expect(await filesOf(out)).toEqual(expect.arrayContaining(['gen.h', 'stamp']));
    expect((await make(source, place, host)).asked).toEqual([]);
    await edit(join(source, 'gen.in'), '/* new */\n');
    expect((await make(source, place, host)).made).toContain('cc a.o');
    await make(source, place, host, 'clean');
    await expect(readdir(out)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('hands KBUILD_EXTRA_SYMBOLS of the Makefile to modpost, and says so beside the objects', async () => {
    const { source, out, place } = await module({
      Makefile: 'obj-m := a.o\nKBUILD_EXTRA_SYMBOLS := $(src)/other.symvers\n',
      'a.c': '',
      'other.symvers': '',
    });
    const { asked } = await make(source, place);
    expect(asked.find((line) => line.startsWith('modpost'))).toContain(
      ` --extra-symbols ${source}/other.symvers `,
    );
    expect(await readFile(join(out, '.extra-symbols'), 'utf8')).toBe(`${source}/other.symvers\n`);
  });

  it('makes one file on request', async () => {
    const { source, out, place } = await module({
      Makefile: 'obj-m := m.o\nm-y := sub/a.o\n',
      'sub/a.c': '/* a */',
    });
    const built = await make(source, place, 'sub/a.i');
    expect([built.status, built.made]).toEqual([0, ['cc a.i']]);
    expect(await filesOf(out)).toContain('sub/a.i');
  });

  it('builds folders below, and lists all modules for modpost at once', async () => {
    const { source, out, place } = await module({
      Makefile: 'obj-m := a.o one/\nobj-y += two/\n',
      'a.c': '',
      'one/Makefile': 'obj-m := b.o\n',
      'one/b.c': '',
      'two/Kbuild': 'obj-m := c.o\n',
      'two/c.c': '',
    });
    const { asked } = await make(source, place, '-j3');
    const objects = asked.filter((line) => line.startsWith('modpost')).map((line) => line.match(/\S+\.o\b/g));
    expect(objects).toEqual([[`${out}/a.o`, `${out}/one/b.o`, `${out}/two/c.o`]]);
    expect(await filesOf(out)).toEqual(expect.arrayContaining(['a.ko', 'one/b.ko', 'two/c.ko']));
  });

  it('installs modules below the release', async () => {
    const { source, out, place } = await module({
      Makefile: 'obj-m := sub/\n',
      'sub/Kbuild': 'obj-m := a.o\n',
      'sub/a.c': '',
    });
    await make(source, place);
    const to = join(out, '../installed');
    expect((await make(source, place, 'modules_install', `INSTALL_MOD_PATH=${to}`)).status).toBe(0);
    expect(await filesOf(to)).toEqual(['lib/modules/6.1.75-test/updates/sub/a.ko']);
  });

  it('shows commands with V=1, nothing with -s, and more warnings with W=1', async () => {
    const { source, place } = await module({ Makefile: 'obj-m := a.o\n', 'a.c': '' });
    expect((await make(source, place)).output).toContain('  CC [M]  a.o\n');
    expect((await make(source, place, 'V=1', 'W=1')).output).toMatch(
      new RegExp(`^  ${tools.cc} .* -Wextra .*/a\\.c$`, 'm'),
    );
    expect((await make(source, place, '-s')).output).toBe('');
  });
});

describe('clean', () => {
  it('removes what was built beside the sources, and nothing else', async () => {
    const files = {
      Makefile: 'obj-m := m.o sub/\nm-y := a.o parts/b.o\n',
      'a.c': '',
      'parts/b.c': '',
      'parts/theirs.o': 'kept',
      'sub/Kbuild': 'obj-m := c.o\n',
      'sub/c.c': '',
    };
    const { source } = await module(files);
    await make(source, 'kh_call_sites=nops');
    expect((await filesOf(source)).length).toBeGreaterThan(20);
    expect((await make(source, 'clean')).status).toBe(0);
    expect(await filesOf(source)).toEqual(Object.keys(files).sort());
  });

  it('is content when nothing was built', async () => {
    const { source, place } = await module({ Makefile: 'obj-m := a.o\n', 'a.c': '' });
    expect((await make(source, place, 'clean')).status).toBe(0);
  });
});

describe('what is refused', () => {
  it.each([
    ['a space', 'with space', /M is ".*with space": make cannot work in a folder with a space/],
    ['a colon', 'co:lon', /M is ".*co:lon": make cannot work in a folder with : in its path/],
    ['a hash', 'ha#sh', /make cannot work in a folder with # in its path/],
    ['an equals sign', 'a=b', /make cannot work in a folder with = in its path/],
  ])('a path with %s, before anything is written', async (_, name, message) => {
    const source = join(root, 'odd', name);
    await put(join(source, 'Makefile'), 'obj-m := a.o\n');
    await put(join(source, 'a.c'), '');
    const built = await make(source);
    expect([built.status, built.asked]).toEqual([1, []]);
    expect(built.output).toMatch(message);
    expect(await filesOf(source)).toEqual(['Makefile', 'a.c']);
  });

  it.each([
    ['an object that is no object', 'obj-m := a\n', /obj-m lists a: a module X is listed as X\.o/],
    ['a module that is its own part', 'obj-m := a.o\na-y := a.o b.o\n', /one of which is a\.o itself/],
    ['a library', 'obj-m := a.o\nlib-y := b.o\n', /lib-y makes no part of a module/],
    ['programs for the device', 'obj-m := a.o\nuserprogs := b\n', /userprogs are not built here/],
    ['a source that is not there', 'obj-m := missing.o\n', /No rule to make target '.*missing\.o'/],
  ])('%s', async (_, makefile, message) => {
    const { source, place } = await module({ Makefile: makefile, 'a.c': '', 'b.c': '' });
    const built = await make(source, place);
    expect([built.status, built.output]).toEqual([1, expect.stringMatching(message)]);
  });

  it('a folder without a Makefile, no folder at all, and another processor', async () => {
    const { source } = await module({ 'a.c': '' });
    expect((await make(source)).output).toMatch(/there is neither a Kbuild nor a Makefile in it/);
    expect((await run([])).output).toMatch(/name a module's folder with M=/);
    expect((await make(source, 'ARCH=x86_64')).output).toMatch(/ARCH is x86_64, but this KDIR is for arm64/);
  });

  it('objects that are part of no module are named, and what is there is built', async () => {
    const { source, place } = await module({ Makefile: 'obj-y := lost.o\nobj-m := a.o\n', 'a.c': '' });
    const built = await make(source, place);
    expect(built.output).toMatch(/obj-y lists lost\.o: .* part of no module/);
    expect(built.made).toContain('ld a.ko');
  });
});

describe('the environment', () => {
  it('of a shell or of another kernel’s build changes nothing', async () => {
    const { source, place } = await module({ Makefile: 'obj-m := a.o\n', 'a.c': '' });
    await make(source, place);
    const foreign = {
      V: '1',
      W: '1',
      M: '/nowhere',
      KBUILD_SUBDIR_CCFLAGS: '-Dforeign',
      src: '/nowhere',
      obj: '/nowhere',
    };
    const again = await run([`M=${source}`, place], foreign);
    expect([again.status, again.asked]).toEqual([0, []]);
  });
});

describe('questions to the folder itself', () => {
  it('are answered without a module', async () => {
    expect((await run(['-s', 'kernelrelease'])).output).toBe('6.1.75-test\n');
    expect((await run(['-s', 'kernelversion'])).output).toBe('6.1.75\n');
    expect((await run(['modules_prepare'])).status).toBe(0);
  });

  it('a compiler other than its own is not used, and that is said', async () => {
    const { source, place } = await module({ Makefile: 'obj-m := a.o\n', 'a.c': '' });
    const built = await make(source, place, 'CC=/nowhere/gcc', 'LLVM=1', 'CROSS_COMPILE=aarch64-linux-gnu-');
    expect([built.status, built.output]).toEqual([0, expect.stringContaining('CC=/nowhere/gcc is not used')]);
  });
});
