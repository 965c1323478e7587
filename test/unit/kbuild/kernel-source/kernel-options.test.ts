import {
  givenOptions,
  isDecisive,
  makefileOptions,
  numberOptions,
  optionDifferences,
} from '../../../../src/kbuild/kernel-source/kernel-options';
import { parseAutoconf } from '../../../../src/kbuild/kernel-config';
import { autoconf, type Options } from '../../../support/fake-headers';

const config = (options: Options) => parseAutoconf(autoconf(options));
const differences = (device: Options, source: Options) => optionDifferences(config(device), config(source));

describe('givenOptions', () => {
  it('says of each option what autoconf.h says', () => {
    const text = autoconf({ SMP: 'y', DUMMY: 'm', FRAME_WARN: 2048, LOCALVERSION: '-16 "a"', EXPERT: 'y' });
    expect(givenOptions(text, new Set())).toBe(
      'CONFIG_MODULES=y\nCONFIG_SMP=y\nCONFIG_DUMMY=m\nCONFIG_FRAME_WARN=2048\nCONFIG_LOCALVERSION="-16 \\"a\\""\nCONFIG_EXPERT=y\n',
    );
  });

  it('writes a 1 for options that are known for numbers', () => {
    expect(givenOptions('#define CONFIG_BASE_SMALL 1\n', new Set(['BASE_SMALL']))).toContain(
      'CONFIG_BASE_SMALL=1\n',
    );
  });

  it('keeps allnoconfig from turning EXPERT on', () => {
    expect(givenOptions('#define CONFIG_SMP 1\n', new Set())).toContain('# CONFIG_EXPERT is not set\n');
  });
});

describe('optionDifferences', () => {
  it('tells what either side has otherwise', () => {
    expect(differences({ SMP: 'y', VENDOR: 'm', HZ: 250 }, { SMP: 'y', HZ: 100, NEW: 'y' })).toEqual([
      { name: 'VENDOR', device: 'm', source: undefined },
      { name: 'HZ', device: '250', source: '100' },
      { name: 'NEW', device: undefined, source: 'y' },
    ]);
  });

  it.each([
    'CC_VERSION_TEXT',
    'CLANG_VERSION',
    'LLD_VERSION',
    'PAHOLE_VERSION',
    'CC_HAS_ASM_INLINE',
    'CC_IS_CLANG',
    'ARM64_AS_HAS_MTE',
    'TOOLS_SUPPORT_RELR',
    'CC_HAVE_STACKPROTECTOR_SYSREG',
    'GCC12_NO_ARRAY_BOUNDS',
  ])('leaves out what only tells of the tools: %s', (name) => {
    expect(differences({ [name]: 'y' }, {})).toEqual([]);
  });

  it('keeps options that merely sound so', () => {
    expect(differences({ CCA: 'y', LD_ORPHAN_WARN: 'y', HAS_IOMEM: 'y' }, {})).toHaveLength(3);
  });

  it('finds out which ones are numbers: those whose y was refused', () => {
    const found = differences({ BASE_SMALL: 1, VENDOR: 'y', HZ: 250 }, { BASE_SMALL: 0, HZ: 100 });
    expect([...numberOptions(found)]).toEqual(['BASE_SMALL']);
  });
});

describe('isDecisive', () => {
  it.each([
    'SMP',
    'PREEMPT',
    'MODVERSIONS',
    'CFI_CLANG',
    'SHADOW_CALL_STACK',
    'DYNAMIC_SCS',
    'ARM64_64K_PAGES',
  ])('is what modules are refused for, or crash: %s', (name) => {
    expect(isDecisive({ name, device: 'y', source: undefined })).toBe(true);
  });

  it.each(['PREEMPT_NOTIFIERS', 'SMPBOOT', 'DRM', 'CFI_PERMISSIVE'])(
    'is not any other option: %s',
    (name) => {
      expect(isDecisive({ name, device: 'y', source: undefined })).toBe(false);
    },
  );
});

describe('makefileOptions', () => {
  it("keeps what Kconfig wrote, with the device's value of what differs", () => {
    const written = 'CONFIG_SMP=y\nCONFIG_CC_VERSION_TEXT=clang 16 (x)\nCONFIG_HZ=100\nCONFIG_NEW=y\n';
    const found = differences({ SMP: 'y', HZ: 250, NAME: 'a $b' }, { SMP: 'y', HZ: 100, NEW: 'y' });
    expect(makefileOptions(written, found)).toBe(
      'CONFIG_SMP=y\nCONFIG_CC_VERSION_TEXT=clang 16 (x)\nCONFIG_HZ=250\nCONFIG_NAME=a $$b\n',
    );
  });

  it('puts strings in quotes where Kconfig does', () => {
    expect(makefileOptions('CONFIG_A="b"\n', differences({ NAME: 'x' }, {}))).toContain('CONFIG_NAME="x"\n');
  });

  it('leaves out steps that take the keys or the vmlinux of the build', () => {
    const written = 'CONFIG_DEBUG_INFO_BTF=y\nCONFIG_MODULE_SIG=y\nCONFIG_RUST=y\nCONFIG_MODVERSIONS=y\n';
    expect(makefileOptions(written, [])).toBe('CONFIG_MODVERSIONS=y\n');
  });
});
