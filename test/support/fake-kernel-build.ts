import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface FakeBuild {
  source: string;
  /** The same folder for a build in its source. */
  build: string;
}

export interface FakeBuildOptions {
  release?: string;
  /** In the source, or in a folder of its own as with `O=`. */
  inTree?: boolean;
  /** Text of the generator script; none when left out. */
  script?: string;
  /** Without what packs as in a kernel's build, but is refused in an archive from a device. */
  pullable?: boolean;
}

/** Makes a built kernel for arm64 with headers of our own, and everything in it that is odd in real ones. */
export async function fakeKernelBuild(root: string, options: FakeBuildOptions = {}): Promise<FakeBuild> {
  const { release = '6.12.3-fake', inTree = false, script, pullable = false } = options;
  const source = join(root, 'linux');
  const build = inTree ? source : join(root, 'out');
  await writeFiles(source, SOURCE);
  await writeFiles(build, generated(release));
  if (script !== undefined) await writeFiles(source, { 'kernel/gen_kheaders.sh': script });
  for (const [name, target] of Object.entries(LINKS)) await symlink(target, join(source, name));
  await chmod(join(source, 'include/linux/list.h'), 0o755);
  await chmod(join(source, 'include/linux/types.h'), 0o664);
  await mkdir(join(source, 'include/empty/deeper'), { recursive: true });
  await mkdir(join(source, 'include/linux/folder.h'), { mode: 0o700 });
  if (!pullable) await addUnpullable(source);
  if (!inTree) {
    await symlink(source, join(build, 'source'));
    await writeFiles(build, { Makefile: `# made by make\ninclude ${source}/Makefile\n`, ...STALE });
  }
  return { source, build };
}

/** A name that is no UTF-8, and a link that leads out of the tree. */
async function addUnpullable(source: string): Promise<void> {
  const name = Buffer.concat([
    Buffer.from(join(source, 'include/linux/caf')),
    Buffer.from([0xe9, 0x2e, 0x68]),
  ]);
  await writeFile(name, '');
  await symlink(`${'../'.repeat(34)}far.h`, join(source, 'include/dt-bindings/clock/far.h'));
}

export async function writeFiles(root: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
}

const LICENCE = '/* SPDX-License-Identifier: Apache-2.0 */\n';

const SOURCE: Record<string, string> = {
  Makefile: 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 3\n',
  Kconfig: '',
  'include/linux/kconfig.h': `${LICENCE}/* about */\n#define KCONFIG 1\n`,
  'include/linux/types.h': 'typedef int t; /* one */ /* two */ // three\n',
  'include/linux/list.h': '/*\n * over\n * lines\n */\nstruct list;\n',
  'include/linux/string.h': '#define TEXT "a /* b */ c" "/*" "*/"\n',
  'include/linux/weird.h': '/* SPDX /* in */ x /*/ y */ /* open SPDX */ /** doc **/ z /**/ /* never closed\n',
  'include/linux/spdx.h': '/* a */ // SPDX\n/* SPDX */ /* SP DX */ /* xSPDXx */\n',
  'include/linux/bytes.h': 'char *s = "\u00e4\u20ac"; /* \u00fc */\r\n',
  'include/linux/nothing.h': '/* only this */',
  'include/linux/empty.h': '',
  'include/linux/.hidden.h': '/* hidden */ int hidden;\n',
  'include/linux/Kbuild': '# kbuild /* not */ here\n',
  'include/linux/.types.h.cmd': 'cmd\n',
  'include/linux/types.h.cmd': 'cmd\n',
  'include/linux/.nfs0001.h': 'left over\n',
  'include/linux/.__afs12.h': 'left over\n',
  'include/left/.nfs0002.h': 'left over, alone\n',
  'include/linux/foo.h': '#define FOO\n',
  'include/linux/foo/bar.h': '#define BAR\n',
  'include/linux/foo-bar.h': '#define FOO_BAR\n',
  'include/linux/foo,bar.h': '#define FOO_BAR\n',
  'include/uapi/linux/types.h': LICENCE,
  'include/uapi/linux/input-event-codes.h': '#define EV 1\n',
  'include/uapi/linux/netfilter/xt_MARK.h': '#define MARK 1\n',
  'include/uapi/linux/netfilter/xt_mark.h': '#define MARK 2\n',
  'include/dt-bindings/clock/fake,dispcc-1.h': '/* one */\n',
  [`include/dt-bindings/${'long-'.repeat(14)}name/${'x'.repeat(20)}.h`]: '#define LONG\n',
  'include/dt-bindings/input/README': 'no header\n',
  'arch/arm64/include/asm/page.h': '/* about\n * pages */\n#define PAGE 1\n',
  'arch/arm64/include/uapi/asm/types.h': LICENCE,
  'arch/x86/include/asm/page.h': '#define PAGE 2\n',
  'drivers/private.h': '#define PRIVATE\n',
};

const LINKS = {
  'include/dt-bindings/input/linux-event-codes.h': '../../uapi/linux/input-event-codes.h',
  'include/dt-bindings/clock/fake,dispcc-2.h': 'fake,dispcc-1.h',
};

function generated(release: string): Record<string, string> {
  const [major = 0, minor = 0, patch = 0] = release.split(/[.-]/).map(Number);
  const code = major * 65536 + minor * 256 + Math.min(patch, 255);
  return {
    '.config': 'CONFIG_ARM64=y\nCONFIG_MODULES=y\n',
    'Module.symvers': '0x00000001\tfake\tvmlinux\tEXPORT_SYMBOL\t\n',
    'include/generated/autoconf.h': '/* of make */\n#define CONFIG_ARM64 1\n#define CONFIG_MODULES 1\n',
    'include/generated/compile.h': '#define UTS_MACHINE "aarch64"\n',
    'include/generated/utsrelease.h': `#define UTS_RELEASE "${release}"\n`,
    'include/generated/utsversion.h': '#define UTS_VERSION "#1 SMP"\n',
    'include/generated/uapi/linux/version.h': `#define LINUX_VERSION_CODE ${code}\n`,
    'include/generated/.bounds.h.cmd': 'cmd\n',
    'include/config/auto.conf': 'CONFIG_ARM64=y\n',
    'include/config/ARM64': '',
    'arch/arm64/include/generated/asm/export.h': '#include <asm-generic/export.h>\n',
    'arch/arm64/include/generated/uapi/asm/errno.h': '/* made */ #include <asm-generic/errno.h>\n',
  };
}

/** What an earlier build in the source, or of another version, left in the folder of `O=`. */
const STALE = {
  'include/linux/foo.h': '#define FOO_OF_THE_BUILD\n',
  'include/linux/old.h': '#define OLD\n',
};
