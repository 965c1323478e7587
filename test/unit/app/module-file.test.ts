import fc from 'fast-check';
import { moduleInfo, readModuleFile } from '../../../src/app/module-file';
import { KhError } from '../../../src/core/errors';
import { madeModule } from '../../support/made-module';
import { buildElf } from '../kbuild/elf/build-elf';

describe('moduleInfo', () => {
  it('reads what a module says of itself', () => {
    const vermagic = '6.1.1 SMP preempt mod_unload modversions aarch64 ';
    const bytes = madeModule({ name: 'hello', depends: 'usb-common,llc', vermagic });
    expect(moduleInfo({ name: 'x.ko', bytes })).toEqual({
      module: 'hello',
      depends: ['usb_common', 'llc'],
      release: '6.1.1',
    });
  });

  it('takes the name of the file where the module has none', () => {
    expect(moduleInfo({ name: 'out/foo-bar.ko', bytes: madeModule({}) })).toEqual({
      module: 'foo_bar',
      depends: [],
      release: '',
    });
  });

  it.each([
    ['an object without .modinfo', buildElf(), /no section \.modinfo/],
    ['a name that no module can have', madeModule({ name: 'a b' }), /calls itself a b/],
    ['what is no ELF file', Buffer.from('text'), /no ELF file/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => moduleInfo({ name: 'x.ko', bytes })).toThrow(message);
  });

  it('never trusts a name with more than letters, digits and underscores', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (name) => {
        try {
          expect(moduleInfo({ name: 'x.ko', bytes: madeModule({ name }) }).module).toMatch(/^\w{1,55}$/);
        } catch (error) {
          expect(error).toBeInstanceOf(KhError);
        }
      }),
    );
  });
});

it('readModuleFile says that there is no such file', async () => {
  await expect(readModuleFile('/missing/hello.ko')).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('/missing/hello.ko cannot be read') as string,
  });
});
