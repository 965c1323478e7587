import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  isAtLeast,
  kernelArch,
  kernelVersion,
  parseAutoconf,
  readKernelConfig,
} from '../../../src/kbuild/kernel-config';
import { tempFolder } from '../../support/temp-folder';

const AUTOCONF = `/* Automatically generated file; DO NOT EDIT. */
#define CONFIG_MODULES 1
#define CONFIG_ARM64 1
#define CONFIG_DUMMY_MODULE 1
#define CONFIG_FRAME_WARN 2048
#define CONFIG_PHYS 0x40000000
#define CONFIG_CC_VERSION_TEXT "Android (\\"r450784\\") clang version 14.0.7"
#define CONFIG_DEFAULT_INIT ""
`;

async function headersTree(files: Record<string, string>): Promise<string> {
  const root = await tempFolder();
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, 'include/generated', name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
  }
  return root;
}

function failureOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

const utsrelease = (release: string): string => `#define UTS_RELEASE "${release}"\n`;
const versionCode = (code: number): string => `#define LINUX_VERSION_CODE ${code}\n`;

describe('readKernelConfig', () => {
  it('tells what is built in, a module, a number, a text, or not set', async () => {
    const config = readKernelConfig(await headersTree({ 'autoconf.h': AUTOCONF }));
    expect(config.isOn('ARM64')).toBe(true);
    expect(config.isOn('DUMMY')).toBe(false);
    expect(config.isModule('DUMMY')).toBe(true);
    expect(config.value('FRAME_WARN')).toBe('2048');
    expect(config.value('PHYS')).toBe('0x40000000');
    expect(config.value('DEFAULT_INIT')).toBe('');
    expect(config.value('CC_VERSION_TEXT')).toBe('Android ("r450784") clang version 14.0.7');
    expect(config.value('SMP')).toBeUndefined();
  });

  it('reads a file with CRLF line ends the same', () => {
    const config = parseAutoconf(AUTOCONF.replaceAll('\n', '\r\n'));
    expect([...config.entries()]).toEqual([...parseAutoconf(AUTOCONF).entries()]);
  });

  it('says which header is missing', async () => {
    const headers = await headersTree({});
    expect(() => readKernelConfig(headers)).toThrow(/autoconf\.h is not there$/);
    expect(failureOf(() => readKernelConfig(headers))).toMatchObject({ code: 'BUILD_BAD_HEADERS' });
  });

  it('refuses a kernel that loads no modules', async () => {
    const headers = await headersTree({ 'autoconf.h': '#define CONFIG_ARM64 1\n' });
    expect(() => readKernelConfig(headers)).toThrow(/loads no modules/);
  });
});

describe('kernelArch', () => {
  it('knows arm64 and x86_64, and refuses the rest', () => {
    expect(kernelArch(parseAutoconf('#define CONFIG_ARM64 1\n'))).toBe('arm64');
    expect(kernelArch(parseAutoconf('#define CONFIG_X86 1\n#define CONFIG_X86_64 1\n'))).toBe('x86_64');
    const arm = parseAutoconf('#define CONFIG_ARM 1\n');
    expect(failureOf(() => kernelArch(arm))).toMatchObject({ code: 'BUILD_UNSUPPORTED' });
  });
});

describe('kernelVersion', () => {
  it('reads release and version', async () => {
    const headers = await headersTree({
      'utsrelease.h': utsrelease('6.1.75-android14-11-gabc'),
      'uapi/linux/version.h': versionCode((6 << 16) | (1 << 8) | 75),
    });
    expect(kernelVersion(headers)).toEqual({
      release: '6.1.75-android14-11-gabc',
      major: 6,
      minor: 1,
      patch: 75,
    });
  });

  it('takes a patch level above 255 from the release, since the code stops there', async () => {
    const headers = await headersTree({
      'utsrelease.h': utsrelease('5.4.284-qgki'),
      'uapi/linux/version.h': versionCode((5 << 16) | (4 << 8) | 255),
    });
    expect(kernelVersion(headers).patch).toBe(284);
  });

  it('does not take the patch level from a release of the vendor’s own making', async () => {
    const headers = await headersTree({
      'utsrelease.h': utsrelease('my-5.4.1-kernel'),
      'uapi/linux/version.h': versionCode((5 << 16) | (4 << 8) | 61),
    });
    expect(kernelVersion(headers)).toMatchObject({ major: 5, minor: 4, patch: 61 });
  });

  it.each([
    ['utsrelease.h', { 'utsrelease.h': '/* empty */\n', 'uapi/linux/version.h': versionCode(393664) }],
    ['version.h', { 'utsrelease.h': utsrelease('6.1.0'), 'uapi/linux/version.h': '\n' }],
  ])('refuses a %s that says nothing', async (name, files) => {
    const headers = await headersTree(files);
    expect(() => kernelVersion(headers)).toThrow(name);
    expect(failureOf(() => kernelVersion(headers))).toMatchObject({ code: 'BUILD_BAD_HEADERS' });
  });
});

describe('isAtLeast', () => {
  it('compares versions as numbers', () => {
    const version = { release: '6.10.3', major: 6, minor: 10, patch: 3 };
    expect(isAtLeast(version, 6, 9)).toBe(true);
    expect(isAtLeast(version, 6, 10)).toBe(true);
    expect(isAtLeast(version, 5, 15)).toBe(true);
    expect(isAtLeast(version, 6, 11)).toBe(false);
  });
});
