import { writeFiles } from './fake-kernel-build';

/** Puts into a fake kernel source what makes its build files whole, all of our own making. */
export async function fakeBuildSource(source: string, more: Record<string, string> = {}): Promise<void> {
  await writeFiles(source, {
    Makefile: 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 3\n',
    Kbuild: '',
    Kconfig: '',
    'init/Kconfig': '',
    'include/linux/kconfig.h': '/* about */\n#define KCONFIG 1\n',
    'kernel/bounds.c': '',
    'kernel/time/timeconst.bc': '',
    'scripts/Kbuild.include': '',
    'scripts/basic/fixdep.c': '',
    'scripts/cc-version.sh': '#!/bin/sh\necho 16\n',
    'scripts/kconfig/conf.c': '',
    'scripts/mod/modpost.c': '',
    ...more,
  });
}
