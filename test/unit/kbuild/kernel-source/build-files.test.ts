import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { listBuildFiles, missingBuildFiles } from '../../../../src/kbuild/kernel-source/build-files';
import { fakeBuildSource } from '../../../support/fake-build-source';
import { writeFiles } from '../../../support/fake-kernel-build';
import { tempFolder } from '../../../support/temp-folder';

async function given(more: Record<string, string> = {}) {
  const source = await tempFolder();
  await fakeBuildSource(source);
  await writeFiles(source, more);
  return source;
}

const pathsIn = (source: string, arch = 'arm64') => listBuildFiles(source, arch).map(({ path }) => path);

describe('the build files of a kernel source', () => {
  it('are what its build reads for modules, and no code of the kernel', async () => {
    const source = await given({
      'drivers/net/Kconfig': '',
      'drivers/net/fast.c': '',
      'arch/riscv/Kconfig': '',
      'arch/riscv/Makefile': '',
      'arch/arm64/kernel/asm-offsets.c': '',
      'arch/arm64/boot/dts/board.dts': '',
      'arch/arm64/configs/defconfig': '',
      'kernel/sched/sched.h': '',
      'kernel/sched/core.c': '',
      'tools/perf/perf.c': '',
      'tools/objtool/check.c': '',
    });
    const paths = pathsIn(source);
    expect(missingBuildFiles(listBuildFiles(source, 'arm64'))).toEqual([]);
    expect(paths).toEqual(expect.arrayContaining(['Makefile', 'drivers/net/Kconfig', 'arch/riscv/Kconfig']));
    expect(paths).toEqual(
      expect.arrayContaining([
        'arch/arm64/kernel/asm-offsets.c',
        'kernel/sched/sched.h',
        'tools/objtool/check.c',
      ]),
    );
    const others = ['fast.c', 'arch/riscv/Makefile', 'boot/dts', 'configs', 'core.c', 'tools/perf'];
    expect(paths.filter((path) => others.some((other) => path.includes(other)))).toEqual([]);
    expect(paths).toEqual([...paths].sort());
  });

  it('are without what a build in the source left there', async () => {
    const source = await given({
      '.config': '',
      'scripts/basic/fixdep': 'program',
      'scripts/basic/.fixdep.cmd': 'cmd',
      'scripts/kconfig/parser.tab.c': '',
      'scripts/kconfig/parser.tab.h': '',
      'scripts/kconfig/.parser.tab.h.cmd': 'cmd',
      'include/config/auto.conf': '',
      'include/generated/autoconf.h': '',
      'arch/arm64/include/generated/asm/export.h': '',
    });
    const paths = pathsIn(source).filter((path) =>
      /^\.config|fixdep$|\.cmd$|\.tab\.|generated|auto\.conf/.test(path),
    );
    expect(paths).toEqual([]);
  });

  it('have links that lead to one of them, and no others', async () => {
    const source = await given({ 'scripts/dummy/ld': '#!/bin/sh\n', 'arch/arm/boot/dts/a.dts': '' });
    const links = {
      'scripts/dummy/nm': 'ld',
      'scripts/dummy/folder': '../../include/linux',
      'scripts/dummy/arm': '../../arch/arm/boot/dts',
      'scripts/dummy/out': '../../../elsewhere',
      'scripts/dummy/absolute': '/etc/passwd',
    };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(source, name));
    expect(listBuildFiles(source, 'arm64').filter(({ target }) => target !== undefined)).toEqual([
      { path: 'scripts/dummy/folder', target: '../../include/linux' },
      { path: 'scripts/dummy/nm', target: 'ld' },
    ]);
  });

  it('are incomplete where the source is a package of headers, and what is missing has a name', async () => {
    const source = await tempFolder();
    await writeFiles(source, { Makefile: '', 'include/linux/kconfig.h': '', 'scripts/Kbuild.include': '' });
    expect(missingBuildFiles(listBuildFiles(source, 'arm64'))).toEqual([
      'Kbuild',
      'Kconfig',
      'init/Kconfig',
      'kernel/bounds.c',
      'kernel/time/timeconst.bc',
      'scripts/basic/fixdep.c',
      'scripts/kconfig/conf.c',
      'scripts/mod/modpost.c',
    ]);
  });
});
