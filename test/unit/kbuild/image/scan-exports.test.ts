import fc from 'fast-check';
import { arm64Image, makeKernel, sampleExports, vmlinux } from '../../../../fixtures/images/make-images';
import { scanExports } from '../../../../src/kbuild/image/scan-exports';
import { failureOf } from './failure';

const scan = (image: Buffer) => scanExports(image, 'Image');

/** As the kernel's build would list them. */
function listed(exports: ReturnType<typeof sampleExports>) {
  return exports.map((entry) => ({ ...entry, module: 'vmlinux' })).sort(byName);
}

function byName(one: { name: string }, other: { name: string }): number {
  return one.name < other.name ? -1 : 1;
}

describe('scanExports', () => {
  it.each([
    ['two tables, for all and for GPL modules', {}],
    ['one table with flags', { form: 'flags' }],
  ] as const)('finds name, CRC, licence and namespace of each symbol in %s', (_, form) => {
    const exports = sampleExports();
    const { entries, modversions } = scan(arm64Image(makeKernel({ exports, ...form })));
    expect(entries.sort(byName)).toEqual(listed(exports));
    expect(modversions).toBe(true);
  });

  it.each(['split', 'flags'] as const)('finds the symbols of a kernel without CRCs (%s)', (form) => {
    const exports = sampleExports();
    const { entries, modversions } = scan(arm64Image(makeKernel({ exports, form, modversions: false })));
    expect(entries.sort(byName)).toEqual(listed(exports.map((entry) => ({ ...entry, crc: undefined }))));
    expect(modversions).toBe(false);
  });

  it('finds the entries without a namespace that kernels before 5.4 have', () => {
    const exports = sampleExports().map((entry) => ({ ...entry, namespace: '' }));
    const { entries } = scan(arm64Image(makeKernel({ exports, stride: 8 })));
    expect(entries.sort(byName)).toEqual(listed(exports));
  });

  it('gives a symbol once that the table has twice', () => {
    const exports = sampleExports();
    const twice = [...exports, ...exports.slice(0, 2)];
    expect(scan(arm64Image(makeKernel({ exports: twice })))).toEqual(
      scan(arm64Image(makeKernel({ exports }))),
    );
  });

  it('finds them in a vmlinux too', () => {
    const exports = sampleExports();
    expect(scan(vmlinux(makeKernel({ exports }))).entries).toHaveLength(exports.length);
  });

  it.each([true, false])(
    'is not misled by what looks like entries before the table (CRCs: %s)',
    (modversions) => {
      const exports = sampleExports();
      const clean = scan(arm64Image(makeKernel({ exports, modversions })));
      expect(scan(arm64Image(makeKernel({ exports, modversions, strays: 5 })))).toEqual(clean);
    },
  );

  it('reads an image wherever in memory it lies', () => {
    const image = arm64Image(makeKernel({ exports: sampleExports() }));
    const shifted = Buffer.concat([Buffer.alloc(1), image]).subarray(1);
    expect(scan(shifted)).toEqual(scan(image));
  });

  const without = (unwanted: string) => sampleExports().filter(({ name }) => name !== unwanted);

  it.each([
    ['no table', arm64Image(Buffer.alloc(8192, 'abcd'))],
    ['nothing at all', Buffer.alloc(0)],
    ['CRCs, but none for module_layout', arm64Image(makeKernel({ exports: without('module_layout') }))],
  ])('refuses an image with %s', async (_, image) => {
    const failure = await failureOf(() => scan(image));
    expect(failure.code).toBe('BUILD_NO_EXPORTS');
    expect(failure.message).toBe('Image is a kernel, but its table of exported symbols was not found');
  });

  it('refuses a table that is out of order', async () => {
    const exports = sampleExports();
    const image = arm64Image(makeKernel({ exports }));
    image.write('zzzzz', image.indexOf('kfree\0'), 'latin1');
    expect((await failureOf(() => scan(image))).code).toBe('BUILD_NO_EXPORTS');
  });

  const word = fc.stringMatching(/^[A-Za-z_]\w*$/, { maxLength: 12 });
  const symbol = fc.record({
    name: word,
    crc: fc.option(fc.integer({ min: 1, max: 0xffffffff }), { nil: undefined }),
    gpl: fc.boolean(),
    namespace: fc.constantFrom('', '', 'NS', 'module:kvm,kvm-amd'),
  });

  it('finds whatever was exported', () => {
    const some = fc.uniqueArray(symbol, { selector: ({ name }) => name, minLength: 1, maxLength: 60 });
    const form = fc.constantFrom('split' as const, 'flags' as const);
    fc.assert(
      fc.property(some, form, (added, kind) => {
        const known = new Set(sampleExports().map(({ name }) => name));
        const exports = [...sampleExports(), ...added.filter(({ name }) => !known.has(name))];
        const { entries } = scan(arm64Image(makeKernel({ exports, form: kind })));
        expect(entries.sort(byName)).toEqual(listed(exports));
      }),
    );
  });

  it('refuses an image that is cut off anywhere before the last name ends', async () => {
    const image = arm64Image(makeKernel({ exports: sampleExports() }));
    for (let length = 64 + 4096; length < image.length - 4096; length++) {
      expect((await failureOf(() => scan(image.subarray(0, length)))).code).toBe('BUILD_NO_EXPORTS');
    }
    expect(scan(image.subarray(0, -4096)).entries).toHaveLength(sampleExports().length);
  });

  it('survives any damage: it refuses the image, or reads exports that are whole', async () => {
    const image = arm64Image(makeKernel({ exports: sampleExports() }));
    const flip = fc.record({
      at: fc.integer({ min: 64 + 4096, max: image.length - 4097 }),
      bit: fc.integer({ min: 0, max: 7 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(flip, { minLength: 1, maxLength: 8 }), async (flips) => {
        const damaged = Buffer.from(image);
        for (const { at, bit } of flips) damaged[at]! ^= 1 << bit;
        let found: ReturnType<typeof scan>['entries'] = [];
        try {
          found = scan(damaged).entries;
        } catch (error) {
          expect((await failureOf(() => Promise.reject(error as Error))).code).toBe('BUILD_NO_EXPORTS');
        }
        for (const { name } of found) expect(name).toMatch(/^[\w.$]+$/);
      }),
    );
  });
});
