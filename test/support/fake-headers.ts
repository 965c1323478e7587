import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Options of a kernel, by their names without `CONFIG_`: `y`, `m`, a number or a text. */
export type Options = Record<string, string | number>;

/** The text of an autoconf.h. */
export function autoconf(options: Options): string {
  return Object.entries({ MODULES: 'y', ...options })
    .map(([name, value]) => {
      if (value === 'm') return `#define CONFIG_${name}_MODULE 1\n`;
      if (value === 'y') return `#define CONFIG_${name} 1\n`;
      return `#define CONFIG_${name} ${typeof value === 'number' ? value : JSON.stringify(value)}\n`;
    })
    .join('');
}

/** Writes the files of a headers tree that builds look at, of an arm64 kernel unless `options` say otherwise. */
export async function writeHeaders(
  root: string,
  { options = { ARM64: 'y' }, release = '6.1.75-test' }: { options?: Options; release?: string } = {},
): Promise<string> {
  const [major = 0, minor = 0, patch = 0] = release.split(/[.-]/).map(Number);
  const code = (major << 16) | (minor << 8) | Math.min(patch, 255);
  const files: Record<string, string> = {
    'include/generated/autoconf.h': autoconf(options),
    'include/generated/utsrelease.h': `#define UTS_RELEASE "${release}"\n`,
    'include/generated/asm-offsets.h': '#define TSK_STACK_CANARY 1104\n',
    'include/generated/uapi/linux/version.h': `#define LINUX_VERSION_CODE ${code}\n`,
    'include/linux/kconfig.h': '',
    'include/linux/compiler-version.h': '',
    'include/linux/compiler_types.h': '',
    'arch/arm64/include/asm/page.h': '',
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return root;
}
