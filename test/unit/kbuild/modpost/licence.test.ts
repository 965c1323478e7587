import { checkDescription, checkLicence, isGplCompatible } from '../../../../src/kbuild/modpost/licence';
import { moduleOf } from './support/compile';

describe('MODULE_LICENSE', () => {
  it('is missed where there is none, with a line that can be pasted', () => {
    expect(checkLicence(moduleOf(''))).toEqual([
      {
        severity: 'error',
        kind: 'licence',
        file: 'build/thing.o',
        text: 'the module has no MODULE_LICENSE(): add one, such as MODULE_LICENSE("GPL")',
      },
    ]);
    expect(checkLicence(moduleOf('TAG("license=Proprietary")'))).toEqual([]);
  });

  it.each(['GPL', 'GPL v2', 'GPL and additional rights', 'Dual BSD/GPL', 'Dual MIT/GPL', 'Dual MPL/GPL'])(
    'opens GPL-only symbols when it is "%s"',
    (licence) => expect(isGplCompatible(moduleOf(`TAG("license=${licence}")`))).toBe(true),
  );

  it('does not when it is another, or when only one of two is compatible', () => {
    expect(isGplCompatible(moduleOf(''))).toBe(false);
    expect(isGplCompatible(moduleOf('TAG("license=BSD")'))).toBe(false);
    expect(isGplCompatible(moduleOf('TAG("license=gpl")'))).toBe(false);
    expect(isGplCompatible(moduleOf('TAG("license=GPL") TAG("license=Proprietary")'))).toBe(false);
  });
});

describe('MODULE_DESCRIPTION', () => {
  it('is asked for in a note only', () => {
    expect(checkDescription(moduleOf(''))).toMatchObject([{ severity: 'note', kind: 'description' }]);
    expect(checkDescription(moduleOf('TAG("description=")'))).toEqual([]);
  });
});
