import fc from 'fast-check';
import { versionPatterns } from '../../../../src/kbuild/modpost/usb-aliases';

/** As fnmatch would match the four digits of a device's version. */
function matches(pattern: string, version: number): boolean {
  const expression = pattern.replaceAll('*', '.*');
  return new RegExp(`^${expression}$`).test(version.toString(16).toUpperCase().padStart(4, '0'));
}

/** A number whose four hexadecimal digits are all decimal, as versions of USB devices are. */
const decimal = fc.integer({ min: 0, max: 9999 }).map((number) => parseInt(String(number), 16));

describe('versionPatterns', () => {
  it.each([
    [0, 0xffff, ['*']],
    [0x0100, 0x0100, ['0100']],
    [0x0100, 0x0199, ['01*']],
    [0x0000, 0x0110, ['0110', '010*', '00*'].sort()],
    [0x0123, 0x0456, ['012[3-9]', '01[3-9]*', '0[2-3]*', '04[0-4]*', '045[0-6]'].sort()],
    [0x0108, 0x010b, ['010[8-9A-B]']],
    [0x0200, 0x0100, []],
  ])('covers %p to %p with %p', (low, high, patterns) => {
    expect(versionPatterns(low, high).sort()).toEqual(patterns);
  });

  it('matches every decimal version within the bounds, and none outside', () => {
    fc.assert(
      fc.property(decimal, decimal, decimal, (one, other, version) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const found = versionPatterns(low, high).some((pattern) => matches(pattern, version));
        expect(found).toBe(version >= low && version <= high);
      }),
      { numRuns: 3000 },
    );
  });

  it('matches with hexadecimal digits where a bound has one', () => {
    const any = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(any, any, fc.constantFrom(0x0a, 0x1b, 0xc00), (one, version, mark) => {
        const [low, high] = [Math.min(one, mark), Math.max(one, mark)];
        fc.pre(high <= 0x9999);
        const found = versionPatterns(low, high).some((pattern) => matches(pattern, version));
        expect(found).toBe(version >= low && version <= high);
      }),
      { numRuns: 3000 },
    );
  });
});
