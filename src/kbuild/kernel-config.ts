import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../core/disk-error';
import { KhError, isErrno } from '../core/errors';

/** The processors that modules can be built for, by the name that workspaces and docs use. */
export type KernelArch = 'arm64' | 'x86_64';

/** What a kernel was configured with. Names are without `CONFIG_`. */
export interface KernelConfig {
  /** True for `=y`. */
  isOn(name: string): boolean;
  /** True for `=m`. */
  isModule(name: string): boolean;
  /**
   * As a `.config` has it behind the equals sign, but strings without their
   * quotes: `y`, `m`, `1104`, `0x10`, `clang version 16.0.6`; undefined when not set.
   */
  value(name: string): string | undefined;
  /** Every option that is set, with its value, in the file's order. */
  entries(): Iterable<[name: string, value: string]>;
}

export interface KernelVersion {
  /** `uname -r`. */
  release: string;
  major: number;
  minor: number;
  patch: number;
}

/**
 * The configuration of the kernel that a headers tree is of, from its
 * `include/generated/autoconf.h` (`include/config/auto.conf` is in no archive
 * since 5.3).
 *
 * @throws KhError BUILD_BAD_HEADERS when the file is not there or says nothing; STORE_*
 */
export function readKernelConfig(headersPath: string): KernelConfig {
  const path = join(headersPath, 'include/generated/autoconf.h');
  const config = parseAutoconf(readHeader(path));
  if (!config.isOn('MODULES')) throw badHeaders(path, 'has no CONFIG_MODULES: that kernel loads no modules');
  return config;
}

/** The configuration that the text of a `.config` describes, as of /proc/config.gz. */
export function parseDotConfig(text: string): KernelConfig {
  const defines = [...text.matchAll(/^CONFIG_(\w+)=(.+?)\r?$/gm)].map(([, name = '', value = '']) => {
    if (value === 'm') return `#define CONFIG_${name}_MODULE 1`;
    return `#define CONFIG_${name} ${value === 'y' ? '1' : value}`;
  });
  return parseAutoconf(defines.join('\n'));
}

/** The configuration that the text of an autoconf.h describes. */
export function parseAutoconf(text: string): KernelConfig {
  const values = new Map<string, string>();
  for (const [, name = '', written = ''] of text.matchAll(/^#define CONFIG_(\w+)[ \t]+(.+?)\r?$/gm)) {
    if (name.endsWith('_MODULE') && written === '1') values.set(name.slice(0, -'_MODULE'.length), 'm');
    else values.set(name, written === '1' ? 'y' : unquoted(written));
  }
  return {
    // `#define CONFIG_X 1` is what both `=y` and the number 1 look like.
    isOn: (name) => values.get(name) === 'y',
    isModule: (name) => values.get(name) === 'm',
    value: (name) => values.get(name),
    entries: () => values.entries(),
  };
}

/**
 * The version of the kernel that a headers tree is of.
 *
 * @throws KhError BUILD_BAD_HEADERS when a file is not there or holds no version; STORE_*
 */
export function kernelVersion(headersPath: string): KernelVersion {
  const generated = join(headersPath, 'include/generated');
  const releasePath = join(generated, 'utsrelease.h');
  const release = /^#define UTS_RELEASE "([^"\s]+)"/m.exec(readHeader(releasePath))?.[1];
  if (release === undefined) throw badHeaders(releasePath, 'names no kernel release');

  const codePath = join(generated, 'uapi/linux/version.h');
  const code = Number(/^#define LINUX_VERSION_CODE (\d+)/m.exec(readHeader(codePath))?.[1]);
  if (!Number.isInteger(code)) throw badHeaders(codePath, 'holds no version');

  const [major, minor] = [code >> 16, (code >> 8) & 0xff];
  // The code's last byte stops at 255; the release of a stable kernel goes on.
  const inRelease = new RegExp(`^${major}\\.${minor}\\.(\\d+)`).exec(release)?.[1];
  return { release, major, minor, patch: inRelease === undefined ? code & 0xff : Number(inRelease) };
}

/** True for that version and all later ones. */
export function isAtLeast(version: KernelVersion, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}

/**
 * The processor that a kernel was configured for.
 *
 * @throws KhError BUILD_UNSUPPORTED for another than the two that are known
 */
export function kernelArch(config: KernelConfig): KernelArch {
  if (config.isOn('ARM64')) return 'arm64';
  if (config.isOn('X86_64')) return 'x86_64';
  throw new KhError('BUILD_UNSUPPORTED', {
    message: 'the kernel is neither for arm64 nor for x86_64',
    hint: 'kh builds modules for these two.',
  });
}

function unquoted(written: string): string {
  return written.startsWith('"') ? written.slice(1, -1).replace(/\\(.)/g, '$1') : written;
}

function readHeader(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) throw badHeaders(path, 'is not there');
    throw diskError(error, path);
  }
}

function badHeaders(path: string, why: string): KhError {
  return new KhError('BUILD_BAD_HEADERS', {
    message: `${path} ${why}`,
    hint: 'Pull the headers again, with --force.',
    details: { path },
  });
}
