import fc from 'fast-check';
import { parseDotConfig } from '../../../src/kbuild/kernel-config';

describe('a .config', () => {
  it('is read as the autoconf.h that is made of it', () => {
    const config = parseDotConfig(
      '# comment\nCONFIG_ARM64=y\nCONFIG_IKHEADERS=m\n# CONFIG_KASAN is not set\nCONFIG_HZ=250\nCONFIG_CC_VERSION_TEXT="clang 17"\n',
    );
    expect([...config.entries()]).toEqual([
      ['ARM64', 'y'],
      ['IKHEADERS', 'm'],
      ['HZ', '250'],
      ['CC_VERSION_TEXT', 'clang 17'],
    ]);
    expect(config.isOn('KASAN')).toBe(false);
  });

  it('may hold anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const [name] of parseDotConfig(`CONFIG_A=y\n${text}`).entries()) expect(name).toMatch(/^\w+$/);
      }),
    );
  });
});
