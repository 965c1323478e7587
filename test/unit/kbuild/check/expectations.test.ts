import { kernelVermagic, loaderExpectations } from '../../../../src/kbuild/check/expectations';
import { tempFolder } from '../../../support/temp-folder';
import { buildElf } from '../elf/build-elf';
import { exported, kernel } from '../modpost/support/kernel';
import { makeHeaders } from '../modpost/support/headers';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

describe('kernelVermagic', () => {
  it.each([
    [
      ['ARM64', 'SMP', 'PREEMPT_BUILD', 'MODULE_UNLOAD', 'MODVERSIONS'],
      'SMP preempt mod_unload modversions aarch64',
    ],
    [['ARM64', 'SMP', 'PREEMPT', 'MODULE_UNLOAD'], 'SMP preempt mod_unload aarch64'],
    [['ARM64', 'PREEMPT_RT'], 'preempt_rt aarch64'],
    [['X86_64', 'SMP', 'MODULE_UNLOAD', 'MODVERSIONS'], 'SMP mod_unload modversions '],
  ])('of a kernel with %p ends in "%s"', (options, tail) => {
    expect(kernelVermagic(kernel('6.1', ...options))).toBe(`6.1.9-test ${tail}`);
  });
});

describe('loaderExpectations', () => {
  it('takes what it can from the headers', async () => {
    const headers = await tempFolder();
    makeHeaders(headers, '6.1');
    const expected = loaderExpectations({ headers, exported: [exported('kfree')] });
    expect(expected).toMatchObject({ vermagic: '6.1.9-test SMP mod_unload modversions ', sections: [] });
    expect(expected.thisModuleSize).toBeUndefined();
    expect(expected.exported?.get('kfree')?.name).toBe('kfree');
  });

  it('learns the size of struct module and the tail of the vermagic from a module of the device', async () => {
    const headers = await tempFolder();
    makeHeaders(headers, '6.1');
    const bytes = buildElf({
      sections: [
        { name: '.modinfo', data: Buffer.from('vermagic=6.1.2-older SMP special \0') },
        { name: '.gnu.linkonce.this_module', data: Buffer.alloc(832) },
      ],
    });
    const deviceModule = { bytes, path: 'vendor.ko' };
    expect(loaderExpectations({ headers, exported: undefined, deviceModule })).toMatchObject({
      vermagic: '6.1.9-test SMP special ',
      thisModuleSize: 832,
      exported: undefined,
    });
  });

  it('wants of arm64 modules the sections that the linker script of the kernel makes', async () => {
    const sectionsOf = async (version: string, script: string, ...options: string[]) => {
      const headers = await tempFolder();
      makeHeaders(headers, version, ['ARM64', 'DYNAMIC_FTRACE', ...options]);
      const folder = join(headers, 'arch/arm64/include/asm');
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'module.lds.h'), script);
      return loaderExpectations({ headers, exported: undefined }).sections;
    };
    expect(await sectionsOf('6.1', '', 'ARM64_MODULE_PLTS')).toEqual([
      '.plt',
      '.init.plt',
      '.text.ftrace_trampoline',
    ]);
    expect(await sectionsOf('6.1', '')).toEqual([]);
    expect(await sectionsOf('6.12', '.init.text.ftrace_trampoline 0 : { BYTE(0) }')).toEqual([
      '.plt',
      '.init.plt',
      '.text.ftrace_trampoline',
      '.init.text.ftrace_trampoline',
    ]);
  });
});
