import { posix } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { encodeXz } from './xz/encode-xz';

export interface SampleArchiveOptions {
  /** `uname -r` of the kernel that the archive says it belongs to. */
  release: string;
  /** `uname -m`; aarch64 when left out. */
  machine?: string;
  /** Extra headers of some 4 KB that do not compress well, for an archive that takes a while to transfer. */
  extraHeaders?: number;
  /** Two names that differ by case only, as every real archive has; on by default. */
  caseTwins?: boolean;
}

/**
 * Makes a small archive shaped like a kernel's kheaders.tar.xz: its layout,
 * its member names, modes and odd entries, with a few dozen headers of our own
 * in place of the kernel's. The same options give the same bytes.
 *
 * @throws KhError XZ_UNAVAILABLE
 */
export async function makeSampleArchive(options: SampleArchiveOptions): Promise<Buffer> {
  return encodeXz(await makeSampleTar(options));
}

/** The same archive before compression. */
export async function makeSampleTar(options: SampleArchiveOptions): Promise<Buffer> {
  const files = sampleHeaders(options);
  const links = new Map(Object.entries(LINKS));
  const tar = pack();
  const bytes = buffer(tar);
  const common = { uid: 0, gid: 0, mtime: new Date('2024-01-01T00:00:00Z') };
  for (const name of withFolders([...files.keys(), ...links.keys()])) {
    const member = { ...common, name: `./${name}` };
    const text = files.get(name);
    const linkname = links.get(name);
    if (text !== undefined) tar.entry({ ...member, mode: 0o644 }, text);
    else if (linkname !== undefined) tar.entry({ ...member, type: 'symlink', linkname, mode: 0o644 });
    else tar.entry({ ...member, type: 'directory', mode: 0o755 });
  }
  tar.finalize();
  return bytes;
}

const LINKS = {
  'include/dt-bindings/clock/sample,dispcc-two.h': 'sample,dispcc-one.h',
  'include/dt-bindings/input/linux-event-codes.h': '../../uapi/linux/input-event-codes.h',
};

/** The names and every folder above them, in the bytewise order of the kernel's own script. */
function withFolders(names: string[]): string[] {
  const all = new Set(['']);
  for (const name of names) {
    all.add(name);
    for (let folder = posix.dirname(name); folder !== '.'; folder = posix.dirname(folder))
      all.add(`${folder}/`);
  }
  return [...all].sort((one, other) => (one < other ? -1 : 1));
}

function sampleHeaders({
  release,
  machine = 'aarch64',
  extraHeaders = 0,
  caseTwins = true,
}: SampleArchiveOptions) {
  const arch = `arch/${archFolder(machine)}/include`;
  const files = new Map<string, string>();
  const add = (name: string, ...lines: string[]) => files.set(name, `${lines.join('\n')}\n`);
  for (const name of PLAIN_HEADERS)
    add(name, ...guarded(name, `/* A sample in place of <${posix.basename(name)}>. */`));
  for (const name of ARCH_HEADERS) add(`${arch}/${name}`, ...guarded(name));
  add('include/linux/kconfig.h', ...guarded('linux/kconfig.h', '#include <generated/autoconf.h>'));
  add(
    'include/linux/types.h',
    ...guarded('linux/types.h', 'typedef unsigned int u32;', 'typedef unsigned long size_t;'),
  );
  add('include/generated/utsrelease.h', `#define UTS_RELEASE "${release}"`);
  add(
    'include/generated/compile.h',
    `#define UTS_MACHINE "${machine}"`,
    '#define LINUX_COMPILER "sample cc 1.0"',
  );
  add(
    'include/generated/autoconf.h',
    '#define CONFIG_IKHEADERS 1',
    '#define CONFIG_MODULES 1',
    ...(machine === 'aarch64' ? ['#define CONFIG_ARM64 1'] : []),
    '#define CONFIG_HZ 250',
  );
  add('include/generated/uapi/linux/version.h', `#define LINUX_VERSION_CODE ${versionCode(release)}`);
  add('include/uapi/linux/input-event-codes.h', ...guarded('input-event-codes.h', '#define EV_KEY 0x01'));
  add('include/uapi/linux/types.h', ...guarded('uapi/linux/types.h', 'typedef unsigned int __u32;'));
  add('include/dt-bindings/clock/sample,dispcc-one.h', '#define DISP_CC_PLL0 0');
  add('include/uapi/linux/netfilter/xt_mark.h', ...guarded('xt_mark.h', '#define XT_MARK_MATCH 1'));
  if (caseTwins)
    add('include/uapi/linux/netfilter/xt_MARK.h', ...guarded('xt_mark_target.h', '#define XT_MARK_TARGET 2'));
  for (let n = 0; n < extraHeaders; n += 1) add(`include/sample/extra-${n}.h`, ...noise(n + 1));
  return files;
}

const PLAIN_HEADERS = [
  ...['atomic', 'bitops', 'compiler', 'device', 'fs', 'init', 'kernel', 'kobject', 'list', 'module', 'mutex'],
  ...['printk', 'sched', 'slab', 'spinlock', 'string', 'uaccess', 'wait'],
].map((name) => `include/linux/${name}.h`);

const ARCH_HEADERS = [
  'asm/page.h',
  'asm/ptrace.h',
  'asm/thread_info.h',
  'uapi/asm/types.h',
  'generated/asm/export.h',
];

function guarded(name: string, ...lines: string[]): string[] {
  const guard = `_SAMPLE_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
  return [
    '/* SPDX-License-Identifier: Apache-2.0 */',
    `#ifndef ${guard}`,
    `#define ${guard}`,
    ...lines,
    '#endif',
  ];
}

/** The folder below arch/ for a `uname -m`, as the kernel's top Makefile maps it. */
function archFolder(machine: string): string {
  if (/^(x86_64|i[3-6]86)$/.test(machine)) return 'x86';
  if (/^(aarch64|arm64)$/.test(machine)) return 'arm64';
  return machine.startsWith('arm') ? 'arm' : machine.replace(/(32|64).*$/, '');
}

/** LINUX_VERSION_CODE: (a << 16) + (b << 8) + c, with c capped at 255. */
function versionCode(release: string): number {
  const [major = 0, minor = 0, patch = 0] = (/^\d+(\.\d+)*/.exec(release)?.[0] ?? '').split('.').map(Number);
  return major * 65536 + minor * 256 + Math.min(patch, 255);
}

/** Lines of numbers that look random and are always the same for a seed (a linear congruential generator). */
function noise(seed: number): string[] {
  let state = seed;
  return Array.from({ length: 128 }, (_, line) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return `#define SAMPLE_${seed}_${line} 0x${state.toString(16).padStart(8, '0')}`;
  });
}
