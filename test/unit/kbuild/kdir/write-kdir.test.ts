import { appendFile, mkdir, readFile, readlink, realpath, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readKdirRecord } from '../../../../src/kbuild/kdir/kdir-record';
import { writeKdir, type KdirOptions } from '../../../../src/kbuild/kdir/write-kdir';
import { kernelVersion, readKernelConfig } from '../../../../src/kbuild/kernel-config';
import { writeHeaders, type Options } from '../../../support/fake-headers';
import { fakeTools } from '../../../support/fake-toolchain';
import { tempFolder } from '../../../support/temp-folder';

async function options(given: { release?: string; options?: Options } = {}): Promise<KdirOptions> {
  const root = await tempFolder();
  const headersPath = await writeHeaders(join(root, 'headers'), given);
  const { cc, ld, modpost } = await fakeTools(join(root, 'tools'));
  return {
    kdirPath: join(root, 'kdir'),
    headersPath,
    arch: 'arm64',
    config: readKernelConfig(headersPath),
    version: kernelVersion(headersPath),
    toolchain: {
      compiler: { kind: 'clang', version: 160006, command: [cc], text: 'fake' },
      linker: { command: [ld], text: 'fake LLD' },
      origin: 'path',
      notes: [],
    },
    flags: { c: [{ group: 'base', flags: ['-DNAME="a $b#c"'] }], asm: [], afterKconfig: [], notes: [] },
    modpost: [modpost],
    signal: AbortSignal.timeout(60_000),
  };
}

const text = (made: KdirOptions, name: string): Promise<string> =>
  readFile(join(made.kdirPath, name), 'utf8');

describe('writeKdir', () => {
  it('leads to the headers without copying them', async () => {
    const made = await options();
    await writeKdir(made);
    const { kdirPath, headersPath } = made;
    expect(await realpath(join(kdirPath, 'include/linux'))).toBe(join(headersPath, 'include/linux'));
    expect(await realpath(join(kdirPath, 'arch/arm64/include'))).toBe(
      join(headersPath, 'arch/arm64/include'),
    );
    expect((await stat(join(kdirPath, 'include/generated/autoconf.h'))).isFile()).toBe(true);
  });

  it('tells scripts the configuration, the version and the release where they look for them', async () => {
    const all: Options = { ARM64: 'y', DUMMY: 'm', FRAME_WARN: 2048, TEXT: 'say "hi" for $1 #1' };
    const made = await options({ options: all, release: '6.1.75-test' });
    await writeKdir(made);
    expect((await text(made, '.config')).split('\n')).toEqual(
      expect.arrayContaining(['CONFIG_ARM64=y', 'CONFIG_DUMMY=m', 'CONFIG_TEXT="say \\"hi\\" for $1 #1"']),
    );
    expect(await text(made, 'include/config/auto.conf')).toContain('CONFIG_TEXT=say "hi" for $$1 \\#1\n');
    expect(await text(made, 'include/config/kernel.release')).toBe('6.1.75-test\n');
    expect((await text(made, 'Makefile')).split('\n').slice(0, 3)).toEqual([
      'VERSION = 6',
      'PATCHLEVEL = 1',
      'SUBLEVEL = 75',
    ]);
  });

  it('has strings in quotes where the Makefiles of the time expect them', async () => {
    const made = await options({ options: { ARM64: 'y', TEXT: 'say "hi"' }, release: '5.15.7' });
    await writeKdir(made);
    expect(await text(made, 'include/config/auto.conf')).toContain('CONFIG_TEXT="say \\"hi\\""\n');
  });

  it('leaves it to headers that do so to put kmod_ before the name of a module', async () => {
    const prefixIn = async (init: string) => {
      const made = await options();
      await writeFile(join(made.headersPath, 'include/linux/init.h'), init);
      await writeKdir(made);
      return /^kh_modname_prefix :=(.*)$/m.exec(await text(made, 'kh/kernel.mk'))?.[1]?.trim();
    };
    expect(await prefixIn('__PASTE(__KBUILD_MODNAME, __PASTE(__, fn))')).toBe('kmod_');
    expect(await prefixIn('__PASTE(kmod_, __PASTE(__KBUILD_MODNAME, fn))')).toBe('');
  });

  it('records for modpost and others what it was made for', async () => {
    const made = await options();
    const symversPath = join(made.kdirPath, '../Module.symvers');
    await writeFile(symversPath, '');
    await writeKdir({ ...made, symversPath });
    expect(readKdirRecord(made.kdirPath)).toMatchObject({
      arch: 'arm64',
      release: '6.1.75-test',
      headers: made.headersPath,
      symvers: symversPath,
      compiler: { kind: 'clang', version: '16.0.6' },
    });
    expect(await realpath(join(made.kdirPath, 'Module.symvers'))).toBe(await realpath(symversPath));
  });

  it('drops the exports of before when none are known any more', async () => {
    const made = await options();
    const symversPath = join(made.kdirPath, '../Module.symvers');
    await writeFile(symversPath, '');
    await writeKdir({ ...made, symversPath });
    await writeKdir(made);
    await expect(readlink(join(made.kdirPath, 'Module.symvers'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(readKdirRecord(made.kdirPath).symvers).toBeNull();
  });

  it('leaves files alone that would stay as they are', async () => {
    const made = await options();
    await writeKdir(made);
    const names = ['Makefile', 'kh.json', 'kh/kernel.mk', 'kh/module.lds', 'include/config/auto.conf'];
    const times = () =>
      Promise.all(names.map(async (name) => (await stat(join(made.kdirPath, name))).mtimeMs));
    const before = await times();
    await writeKdir(made);
    expect(await times()).toEqual(before);
  });

  it('has the linker script made once, and anew by another compiler', async () => {
    const made = await options();
    await writeKdir(made);
    const script = join(made.kdirPath, 'kh/module.lds');
    await appendFile(script, '/* as it was */\n');
    await writeKdir(made);
    expect(await text(made, 'kh/module.lds')).toMatch(/as it was/);
    const { compiler, ...rest } = made.toolchain;
    await writeKdir({ ...made, toolchain: { ...rest, compiler: { ...compiler, text: 'another' } } });
    expect(await text(made, 'kh/module.lds')).not.toMatch(/as it was/);
  });

  it('passes flags on as words, whatever is in them', async () => {
    const made = await options();
    await writeKdir(made);
    expect(await text(made, 'kh/kernel.mk')).toContain(`KBUILD_CPPFLAGS := '-DNAME="a $$b\\#c"'\n`);
  });

  it.each([
    ['5.10.1', /^NOSTDINC_FLAGS := -nostdinc -isystem \/usr\/lib\/fake\/include$/m],
    ['5.15.1', /^NOSTDINC_FLAGS := -nostdinc$/m],
  ])('gives %s the headers of the compiler that it asks for', async (release, line) => {
    const made = await options({ release });
    await writeKdir(made);
    expect(await text(made, 'kh/kernel.mk')).toMatch(line);
  });

  it.each<[KdirOptions['arch'], 'clang' | 'gcc', Options, string]>([
    ['x86_64', 'clang', { DYNAMIC_FTRACE: 'y', FTRACE_MCOUNT_USE_OBJTOOL: 'y' }, 'nops'],
    ['x86_64', 'clang', { DYNAMIC_FTRACE: 'y' }, 'calls'],
    ['x86_64', 'clang', { FUNCTION_TRACER: 'y' }, ''],
    ['x86_64', 'gcc', { DYNAMIC_FTRACE: 'y' }, ''],
    ['arm64', 'clang', { DYNAMIC_FTRACE: 'y' }, ''],
  ])('on %s with %s and %j has modpost list call sites as: %s', async (arch, kind, given, form) => {
    const made = await options({ options: given });
    const { toolchain } = made;
    const compiler = { ...toolchain.compiler, kind };
    await writeKdir({ ...made, arch, toolchain: { ...toolchain, compiler } });
    expect(await text(made, 'kh/kernel.mk')).toContain(`\nkh_call_sites :=${form && ` ${form}`}\n`);
  });

  it.each(['a space', 'a:colon', 'a#hash'])('refuses to write into "%s"', async (name) => {
    const made = await options();
    const kdirPath = join(made.kdirPath, name, 'kdir');
    await expect(writeKdir({ ...made, kdirPath })).rejects.toMatchObject({ code: 'BUILD_BAD_PATH' });
  });

  it('says where it cannot write', async () => {
    const made = await options();
    await mkdir(join(made.kdirPath, '..'), { recursive: true });
    await writeFile(made.kdirPath, 'a file');
    await expect(writeKdir(made)).rejects.toMatchObject({ code: 'STORE_IO' });
  });
});

describe('readKdirRecord', () => {
  it.each([
    ['is not there', undefined, /no KDIR of kh/],
    ['is damaged', '{', /is damaged/],
    ['is of another version', '{"kdir": 2}', /of another version of kh/],
  ])('refuses a folder whose record %s', async (_, content, message) => {
    const folder = await tempFolder();
    if (content !== undefined) await writeFile(join(folder, 'kh.json'), content);
    expect(() => readKdirRecord(folder)).toThrow(message);
  });
});
