import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  prepareKernelSource,
  type KernelSourceOptions,
} from '../../../../src/kbuild/kernel-source/prepare-source';
import { fakeKernelSource, type FakeSourceOptions } from '../../../support/fake-kernel-source';
import { writeHeaders, type Options } from '../../../support/fake-headers';
import { tempFolder } from '../../../support/temp-folder';

interface Given extends KernelSourceOptions {
  bin: string;
  /** Why a preparation began, each time. */
  begun: string[];
}

async function given(
  source: FakeSourceOptions = {},
  options: Options = { ARM64: 'y', SMP: 'y', BASE_SMALL: 1, LOCALVERSION: '-test' },
): Promise<Given> {
  const root = await tempFolder();
  const { tree, bin } = await fakeKernelSource(root, source);
  const headersPath = await writeHeaders(join(root, 'headers'), { options });
  const begun: string[] = [];
  return {
    ...{ tree, bin, begun, headersPath, headersDigest: 'd1', make: 'make', path: join(root, 'ks') },
    onPreparing: (why) => begun.push(why),
    environment: { PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    signal: AbortSignal.timeout(60_000),
  };
}

const made = (options: Given, name: string) => readFile(join(options.path, 'kdir', name), 'utf8');
const runs = async (options: Given) => (await made(options, 'prepared')).trim().split('\n').length;

describe('prepareKernelSource', () => {
  it("has the source prepare itself, with the device's release, options and measures in the end", async () => {
    const options = await given();
    const { kdirPath, notes, arch } = await prepareKernelSource(options);
    expect(kdirPath).toBe(join(options.path, 'kdir'));
    expect(arch).toBe('arm64');
    expect(await made(options, 'prepared')).toBe('CC=clang-16 ARCH=arm64\n');
    expect(await made(options, 'include/generated/utsrelease.h')).toBe('#define UTS_RELEASE "6.1.75-test"\n');
    expect(await made(options, 'include/config/kernel.release')).toBe('6.1.75-test\n');
    const autoconf = 'include/generated/autoconf.h';
    expect(await made(options, autoconf)).toBe(await readFile(join(options.headersPath, autoconf), 'utf8'));
    expect(await made(options, '.config')).toContain('CONFIG_BASE_SMALL=1\n');
    expect(notes).toEqual([expect.stringMatching(/^4 headers are the device's: .*compiler-version\.h/)]);
  });

  it('writes nothing into the source', async () => {
    const options = await given();
    const listing = () => execFileSync('find', [options.tree, '-printf', '%p %T@ %s\n']).toString();
    const before = listing();
    await prepareKernelSource(options);
    expect(listing()).toBe(before);
  });

  it('lets make build modules there, told of the tools', async () => {
    const options = await given();
    const { kdirPath } = await prepareKernelSource(options);
    const said = execFileSync('make', ['-C', kdirPath, 'M=/some/where', 'modules'], {
      env: { ...process.env, MAKEFLAGS: undefined },
    }).toString();
    expect(said).toContain(`M=/some/where CC=clang-16 from ${join(options.path, 'tree')} in ${kdirPath}\n`);
  });

  it('takes a source that was built in, which its own build would refuse', async () => {
    const options = await given({ files: { '.config': 'CONFIG_OTHER=y\n', 'include/config/auto.conf': '' } });
    await prepareKernelSource(options);
    expect(await runs(options)).toBe(1);
  });

  it('does so once, and tells the same notes again', async () => {
    const options = await given();
    const first = await prepareKernelSource(options);
    const second = await prepareKernelSource(options);
    expect(options.begun).toEqual(['first']);
    expect(await runs(options)).toBe(1);
    expect(second.notes).toEqual(first.notes);
  });

  it('does so again when a file changed that it depends on, or the headers', async () => {
    const options = await given();
    await prepareKernelSource(options);
    await utimes(join(options.tree, 'include/linux/own.h'), 1, 1);
    await prepareKernelSource(options);
    await prepareKernelSource({ ...options, headersDigest: 'd2' });
    await utimes(join(options.tree, 'drivers/gpu/secret.h'), 1, 1);
    await prepareKernelSource({ ...options, headersDigest: 'd2' });
    expect(options.begun).toEqual(['first', 'changed', 'changed']);
  });

  it('does so again after one that did not come to its end', async () => {
    const options = await given({ files: { 'kernel/bounds.c': 'broken' } });
    await expect(prepareKernelSource(options)).rejects.toMatchObject({
      code: 'BUILD_BAD_SOURCE',
      message: expect.stringContaining('bounds.c:1:1: error: broken') as string,
    });
    await writeFile(join(options.tree, 'kernel/bounds.c'), '');
    await prepareKernelSource(options);
    expect(options.begun).toEqual(['first', 'first']);
  });

  it("leads to the kernel's exports, whichever they are now", async () => {
    const options = await given();
    const symversPath = join(options.path, '../Module.symvers');
    await writeFile(symversPath, 'exports');
    await prepareKernelSource({ ...options, symversPath });
    expect(await made(options, 'Module.symvers')).toBe('exports');
    await prepareKernelSource(options);
    expect(await readdir(join(options.path, 'kdir'))).not.toContain('Module.symvers');
  });

  it('names options that the source has otherwise, and goes on where they decide on nothing', async () => {
    const options = await given({ forced: ['VENDOR_HOOKS=n', 'NEW=y'] }, { ARM64: 'y', VENDOR_HOOKS: 'y' });
    const { notes } = await prepareKernelSource(options);
    expect(notes.join()).toContain('CONFIG_VENDOR_HOOKS is y on the device and off or unknown in the source');
    expect(await made(options, 'include/generated/autoconf.h')).toContain('CONFIG_VENDOR_HOOKS 1');
    expect((await made(options, 'include/config/auto.conf')).split('\n').sort()).toEqual(
      ['', 'CONFIG_ARM64=y', 'CONFIG_MODULES=y', 'CONFIG_VENDOR_HOOKS=y'].sort(),
    );
  });

  it('refuses a source that cannot have an option without which modules crash', async () => {
    const scs: Options = { ARM64: 'y', SHADOW_CALL_STACK: 'y' };
    await expect(
      prepareKernelSource(await given({ forced: ['SHADOW_CALL_STACK=n'] }, scs)),
    ).rejects.toMatchObject({
      code: 'BUILD_BAD_SOURCE',
      message: expect.stringContaining(
        'CONFIG_SHADOW_CALL_STACK is y on the device and off or unknown',
      ) as string,
    });
  });

  it('refuses a source with structures of another layout', async () => {
    const options = await given({ offsets: '#define TSK_STACK_CANARY 1112 /* bytes */\n' });
    await expect(prepareKernelSource(options)).rejects.toMatchObject({
      code: 'BUILD_BAD_SOURCE',
      message: expect.stringContaining('TSK_STACK_CANARY is 1112 there and 1104 on the device') as string,
    });
  });

  it('refuses the source of another version, and names both', async () => {
    await expect(prepareKernelSource(await given({ version: '6.6.75' }))).rejects.toMatchObject({
      code: 'BUILD_BAD_SOURCE',
      message: expect.stringMatching(/the source of Linux 6\.6\.75, .* is 6\.1\.75-test/) as string,
    });
  });

  it('goes on with another sublevel, and says so', async () => {
    const { notes } = await prepareKernelSource(await given({ version: '6.1.90' }));
    expect(notes[0]).toMatch(/that of 6\.1\.90, and the kernel that runs is 6\.1\.75-test/);
  });

  it.each(['Kconfig', 'Makefile'])(
    'says of a folder without %s that it is no kernel source',
    async (name) => {
      const options = await given();
      await rm(join(options.tree, name));
      await expect(prepareKernelSource(options)).rejects.toMatchObject({ code: 'USAGE' });
    },
  );

  it('names the tools that are not there, and their packages, before anything is made', async () => {
    const options = await given();
    // A PATH with nothing but what finds the compiler.
    for (const name of ['flex', 'bc']) await rm(join(options.bin, name));
    const environment = { PATH: options.bin };
    await expect(prepareKernelSource({ ...options, environment })).rejects.toMatchObject({
      code: 'TOOLCHAIN_MISSING',
      message: expect.stringContaining('flex, bc') as string,
      hint: expect.stringContaining('apt install flex bc') as string,
    });
    expect(options.begun).toEqual([]);
  });

  it('asks for the headers that objtool takes only where objtool is built', async () => {
    const options = await given({}, { ARM64: 'y', OBJTOOL: 'y' });
    const gcc = join(options.bin, 'gcc');
    const lacking = (await readFile(gcc, 'utf8')).replace('case "$*" in', 'case "$*" in *gelf.h*) exit 1 ;;');
    await writeFile(gcc, lacking);
    await expect(prepareKernelSource(options)).rejects.toMatchObject({
      code: 'TOOLCHAIN_MISSING',
      hint: expect.stringContaining('libelf-dev') as string,
    });
  });

  it('refuses a workspace whose path make cannot work with', async () => {
    const options = await given();
    const path = join(options.path, 'a space');
    await mkdir(options.path);
    await expect(prepareKernelSource({ ...options, path })).rejects.toMatchObject({ code: 'BUILD_BAD_PATH' });
  });

  it('ends with the reason of the signal', async () => {
    const options = await given();
    const reason = new Error('enough');
    await expect(prepareKernelSource({ ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
