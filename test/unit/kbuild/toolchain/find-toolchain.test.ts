import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseAutoconf } from '../../../../src/kbuild/kernel-config';
import type { ToolchainChoice } from '../../../../src/kbuild/toolchain/candidates';
import { findMake } from '../../../../src/kbuild/toolchain/find-make';
import { findToolchain } from '../../../../src/kbuild/toolchain/find-toolchain';
import { autoconf, type Options } from '../../../support/fake-headers';
import { tempFolder } from '../../../support/temp-folder';

jest.setTimeout(60_000); // Commands take their time on a busy machine.

let root: string;
let bin: string;

beforeEach(async () => {
  root = await tempFolder();
  bin = join(root, 'bin');
  await mkdir(bin);
});

async function script(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
  return path;
}

/** A clang that says it is of that major version, and the linker beside it. */
async function clang(
  major: number,
  { folder = bin, suffix = `-${major}`, lld = true } = {},
): Promise<string> {
  const macros = `#define __clang_major__ ${major}\n#define __clang_minor__ 0\n#define __clang_patchlevel__ 6`;
  if (lld) await script(join(folder, `ld.lld${suffix}`), 'echo "LLD 1.0"');
  return script(
    join(folder, `clang${suffix}`),
    `case "$*" in *-dM*) echo '${macros}';; --version) echo "clang version ${major}.0.6";; esac`,
  );
}

async function gcc(prefix: string, machine: string, { major = 12, suffix = '' } = {}): Promise<void> {
  const macros = `#define __GNUC__ ${major}\n#define __GNUC_MINOR__ 2\n#define __GNUC_PATCHLEVEL__ 0`;
  await script(join(bin, `${prefix}ld`), 'echo "GNU ld 2.40"');
  await script(
    join(bin, `${prefix}gcc${suffix}`),
    `case "$*" in *-dM*) echo '${macros}';; -dumpmachine) echo ${machine};; --version) echo "gcc ${major}.2.0";; esac`,
  );
}

const KCFI: Options = { CC_IS_CLANG: 'y', CLANG_VERSION: 160006, CFI_CLANG: 'y' };
const PLAIN: Options = {
  CC_IS_CLANG: 'y',
  CLANG_VERSION: 140006,
  CC_VERSION_TEXT: 'Android clang version 14.0.6',
};
const GCC: Options = { CC_IS_GCC: 'y', GCC_VERSION: 120200 };

/** Searches with the fakes only on the PATH, and nothing of this machine's environment. */
function find(
  options: Options,
  more: { choice?: ToolchainChoice; environment?: NodeJS.ProcessEnv; arch?: 'arm64' | 'x86_64' } = {},
) {
  const { choice = {}, environment = {}, arch = 'arm64' } = more;
  return findToolchain({
    config: parseAutoconf(autoconf(options)),
    arch,
    choice,
    environment: { HOME: root, PATH: bin, ...environment },
    signal: AbortSignal.timeout(30_000),
  });
}

describe('without a choice', () => {
  it('takes the clang on the PATH that is nearest to the kernel’s own, newer before older', async () => {
    for (const major of [14, 17, 19]) await clang(major);
    expect((await find(KCFI)).compiler).toMatchObject({
      kind: 'clang',
      version: 170006,
      command: ['clang-17'],
    });
    await clang(16);
    const found = await find(KCFI);
    expect([found.compiler.command, found.linker.command, found.origin]).toEqual([
      ['clang-16'],
      ['ld.lld-16'],
      'path',
    ]);
    expect(found.compiler.text).toBe('clang version 16.0.6');
    expect(found.notes).toEqual([]);
  });

  it('takes an older one where that does no harm, and notes it', async () => {
    await clang(13);
    const { compiler, notes } = await find(PLAIN);
    expect(compiler.version).toBe(130006);
    expect(notes).toEqual([expect.stringMatching(/built with clang 14\.0\.6, which is newer than clang 13/)]);
  });

  it('prefers the Android NDK, the newest there is', async () => {
    await clang(16);
    for (const [version, major] of [
      ['25.2.9519653', 14],
      ['26.1.10909125', 17],
      ['9.0.1', 5],
    ] as const) {
      const folder = join(root, 'Android/Sdk/ndk', version, 'toolchains/llvm/prebuilt/linux-x86_64/bin');
      await clang(major, { folder, suffix: '' });
    }
    const found = await find(KCFI);
    expect([found.origin, found.compiler.version]).toEqual(['ndk', 170006]);
    expect(found.linker.command[0]).toContain('ndk/26.1.10909125/');
  });

  it('takes the NDK that the environment names before those in the SDK, and passes over one that is too old', async () => {
    const named = join(root, 'my-ndk');
    await clang(12, { folder: join(named, 'toolchains/llvm/prebuilt/linux-x86_64/bin'), suffix: '' });
    await clang(16);
    const environment = { ANDROID_NDK_HOME: named };
    expect((await find(KCFI, { environment })).origin).toBe('path');
    expect((await find(PLAIN, { environment })).compiler.command[0]).toContain('my-ndk');
  });

  it('passes over a clang without its linker', async () => {
    await clang(16, { lld: false });
    await clang(18);
    expect((await find(KCFI)).compiler.command).toEqual(['clang-18']);
  });

  it('takes a cross gcc for a kernel that gcc built, else clang with a note', async () => {
    await clang(16);
    const { compiler, notes } = await find(GCC);
    expect([compiler.kind, notes]).toEqual(['clang', [expect.stringContaining('built with gcc 12.2.0')]]);
    await gcc('aarch64-linux-gnu-', 'aarch64-linux-gnu');
    const found = await find(GCC);
    expect([found.compiler.command, found.linker.command]).toEqual([
      ['aarch64-linux-gnu-gcc'],
      ['aarch64-linux-gnu-ld'],
    ]);
    expect(found.notes).toEqual([]);
  });

  it('takes the cross gcc that is nearest to the kernel’s own, also where only its name with a version is there', async () => {
    const machine = 'aarch64-linux-gnu';
    await clang(16);
    await gcc(`${machine}-`, machine, { major: 13, suffix: '-13' });
    expect((await find(GCC)).compiler.command).toEqual([`${machine}-gcc-13`]);
    await gcc(`${machine}-`, machine, { major: 14 });
    await gcc(`${machine}-`, machine, { major: 12, suffix: '-12' });
    const found = await find(GCC);
    expect([found.compiler.command, found.linker.command]).toEqual([
      [`${machine}-gcc-12`],
      [`${machine}-ld`],
    ]);
    expect(found.notes).toEqual([]);
  });

  it('says what was looked at, what the kernel was built with and what to install when nothing will do', async () => {
    await clang(14);
    await expect(find({ ...KCFI, CC_VERSION_TEXT: 'Android clang version 17.0.2' })).rejects.toMatchObject({
      code: 'TOOLCHAIN_MISSING',
      exitCode: 69,
      message: expect.stringMatching(
        /clang-14 \(clang 14\.0\.6\): .*that takes clang 16 or later.*Android clang version 17\.0\.2/,
      ) as string,
      hint: 'Install clang-16 and lld-16, or the Android NDK and set ANDROID_NDK_HOME.',
    });
    await expect(find(GCC, { environment: { PATH: root } })).rejects.toMatchObject({
      hint: expect.stringMatching(/^Install gcc-aarch64-linux-gnu, or install/) as string,
    });
  });
});

describe('a choice', () => {
  it.each<[string, ToolchainChoice, NodeJS.ProcessEnv, string]>([
    ['--llvm with a suffix', { llvm: '-18' }, {}, 'clang-18'],
    ['LLVM with a suffix', {}, { LLVM: '-18' }, 'clang-18'],
    ['CC', {}, { CC: 'clang-18', CROSS_COMPILE: 'aarch64-linux-gnu-' }, 'clang-18'],
    ['--cc before CC', { cc: 'clang-18' }, { CC: 'clang-16' }, 'clang-18'],
    ['--cc before LLVM', { cc: 'clang-18' }, { LLVM: '-16' }, 'clang-18'],
  ])('by %s counts', async (_, choice, environment, command) => {
    await clang(16);
    await clang(18);
    expect((await find(KCFI, { choice, environment })).compiler.command).toEqual([command]);
  });

  it('by a folder brings the linker of that folder', async () => {
    const folder = join(root, 'llvm/bin');
    await clang(17, { folder, suffix: '' });
    const found = await find(KCFI, { choice: { llvm: `${folder}/` } });
    expect([found.compiler.command, found.linker.command]).toEqual([
      [`${folder}/clang`],
      [`${folder}/ld.lld`],
    ]);
    expect((await find(KCFI, { choice: { cc: `${folder}/clang` } })).linker.command).toEqual([
      `${folder}/ld.lld`,
    ]);
  });

  it('may have a wrapper in front', async () => {
    await clang(16);
    await script(join(bin, 'ccache'), 'exec "$@"');
    const found = await find(KCFI, { environment: { CC: 'ccache clang-16' } });
    expect([found.compiler.command, found.linker.command]).toEqual([['ccache', 'clang-16'], ['ld.lld-16']]);
  });

  it.each<[string, ToolchainChoice, Options, RegExp]>([
    [
      'gcc for a kernel with kCFI',
      { crossCompile: 'aarch64-linux-gnu-' },
      KCFI,
      /--cross-compile=aarch64-linux-gnu- .*kCFI.*takes clang/,
    ],
    ['a clang without kCFI', { cc: 'clang-14' }, KCFI, /--cc=clang-14 .*clang 16 or later/],
    ['a gcc for another processor', { cc: 'gcc' }, GCC, /it builds for x86_64-linux-gnu, not for aarch64/],
  ])('that would bring the kernel down is an error: %s', async (_, choice, options, message) => {
    await clang(14);
    await clang(16);
    await gcc('aarch64-linux-gnu-', 'aarch64-linux-gnu');
    await gcc('', 'x86_64-linux-gnu');
    await expect(find(options, { choice })).rejects.toMatchObject({
      code: 'BUILD_TOOLCHAIN_MISMATCH',
      message: expect.stringMatching(message) as string,
    });
  });

  it('of another kind than the kernel’s that does no harm is a note', async () => {
    await gcc('aarch64-linux-gnu-', 'aarch64-linux-gnu');
    const { compiler, notes } = await find(PLAIN, { environment: { CROSS_COMPILE: 'aarch64-linux-gnu-' } });
    expect([compiler.kind, notes]).toEqual(['gcc', [expect.stringContaining('built with clang 14.0.6')]]);
  });

  it('that is not there is missing, by the name under which it was asked for', async () => {
    await expect(find(KCFI, { choice: { cc: 'clang-99' } })).rejects.toMatchObject({
      code: 'TOOLCHAIN_MISSING',
      message: 'there is no compiler clang-99, which --cc=clang-99 asks for',
    });
    await clang(16, { lld: false });
    await expect(find(KCFI, { environment: { LLVM: '-16' } })).rejects.toMatchObject({
      code: 'TOOLCHAIN_MISSING',
      message: expect.stringMatching(/the linker that goes with it, ld\.lld-16, is not there/) as string,
    });
  });
});

describe('findMake', () => {
  const signal = AbortSignal.timeout(30_000);

  it('finds GNU make', async () => {
    const command = await script(join(bin, 'make'), 'echo "GNU Make 4.3"');
    expect(await findMake(signal, command)).toBe(command);
  });

  it.each([
    ['an old one', 'GNU Make 3.81', /4\.2 or later: .* is GNU Make 3\.81/],
    ['another make', 'bmake', /is another make/],
  ])('refuses %s', async (_, says, message) => {
    const command = await script(join(bin, 'make'), `echo "${says}"`);
    await expect(findMake(signal, command)).rejects.toMatchObject({
      code: 'TOOLCHAIN_MISSING',
      message: expect.stringMatching(message) as string,
    });
  });

  it('says that there is none', async () => {
    await expect(findMake(signal, join(bin, 'none'))).rejects.toMatchObject({
      message: expect.stringMatching(/there is no make$/) as string,
    });
  });
});
