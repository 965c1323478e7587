import fc from 'fast-check';
import { asDiskName, diskName } from '../../../src/store/disk-name';

describe('diskName', () => {
  it.each(['KHRIG0001', '1A051FDF6007XC', '3a21fe9c', 'emulator-5554', '6.1.75-android14-11-g48b922851ac5'])(
    'leaves %s as it is',
    (name) => {
      expect(diskName(name)).toBe(name);
    },
  );

  it.each([
    ['10.0.0.7:5555', /^10\.0\.0\.7_5555~[0-9a-f]{10}$/],
    ['two words', /^two_words~/],
    ['../../etc', /^_\.\._\.\._etc~/],
    ['.', /^_\.~/],
    ['..', /^_\.\.~/],
    ['', /^_~/],
    ['-rf', /^_-rf~/],
    ['.hidden', /^_\.hidden~/],
    ['NUL', /^_NUL~/],
    ['com1.txt', /^_com1\.txt~/],
    ['ends.', /^ends\.~/],
    ['Mixed', /^Mixed~/],
  ])('cleans %j, and puts a hash behind it', (text, expected) => {
    expect(diskName(text)).toMatch(expected);
  });

  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: fc.constantFrom('a', 'A', '.', '-', '~', '_', ':', '/', ' ', '\0', 'é', '\ud800') }),
    fc.constantFrom('con', 'PRN', 'aux.x', 'lpt9', '..', '.', '', '-', 'a'.repeat(101)),
  );

  it('gives names that every disk takes, whatever the text', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const name = diskName(text);
        expect(name).toMatch(/^[A-Za-z0-9_+][A-Za-z0-9._+~-]*$/);
        expect(name.length).toBeLessThanOrEqual(100);
        expect(name).not.toMatch(/\.$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
      }),
    );
  });

  it('gives two texts two names', () => {
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        fc.pre(one !== other);
        expect(diskName(one)).not.toBe(diskName(other));
      }),
    );
  });

  it('gives two names, also where case is folded, to texts that mix upper and lower case', () => {
    const mixed = fc.string({ unit: fc.constantFrom('a', 'A', 'b', 'B', '1'), minLength: 2 });
    fc.assert(
      fc.property(mixed, mixed, (one, other) => {
        fc.pre(one !== other && /[a-z]/.test(one) && /[A-Z]/.test(one));
        expect(diskName(one).toLowerCase()).not.toBe(diskName(other).toLowerCase());
      }),
    );
  });
});

describe('asDiskName', () => {
  it('leaves a name alone that came from diskName, and cleans all else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => asDiskName(diskName(text)) === diskName(text)),
    );
    expect(asDiskName('../x')).toBe(diskName('../x'));
    expect(asDiskName('../x~0123456789')).toBe(diskName('../x~0123456789'));
  });
});
