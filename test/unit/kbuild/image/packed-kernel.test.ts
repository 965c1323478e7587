import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { lz4Frame, lz4Legacy } from '../../../../fixtures/images/lz4-encode';
import {
  arm64Image,
  bzImage,
  makeKernel,
  sampleExports,
  zboot,
} from '../../../../fixtures/images/make-images';
import { bufferSource } from '../../../../src/core/byte-source';
import { unpackPackedKernel, type PackedKind } from '../../../../src/kbuild/image/packed-kernel';
import { PACKED_MARKS } from '../../../../src/kbuild/image/packed-marks';
import { failureOf } from './failure';

const { signal } = new AbortController();
const noise = (length: number) =>
  Buffer.from(Array.from({ length }, (_, n) => Math.imul(n, n * 7 + 1_664_525) >>> 11));
const image = arm64Image(Buffer.concat([makeKernel({ exports: sampleExports() }), noise(200_000)]));
const object = Buffer.concat([Buffer.from('\x7fELF'), noise(150_000)]);
const zstd = (bytes: Buffer) => spawnSync('zstd', ['-c', '-q'], { input: bytes }).stdout;

const options = { name: 'it', signal, limit: 1 << 22, smallestElf: 0, onMeasured: () => undefined };
const unpack = (kind: PackedKind, bytes: Buffer, more = {}) =>
  unpackPackedKernel(kind, bufferSource(bytes), { ...options, ...more });

const FORMS: [kind: PackedKind, pack: (bytes: Buffer) => Buffer][] = [
  ['gzip', gzipSync],
  ['lz4-legacy', lz4Legacy],
  ['lz4-frame', lz4Frame],
  ['zstd', zstd],
];

describe('unpackPackedKernel', () => {
  it.each(FORMS)('unpacks %s, and tells where it ends, whatever follows', async (kind, pack) => {
    const packed = pack(image);
    for (const behind of [Buffer.alloc(0), Buffer.alloc(5000), Buffer.alloc(70_000, 0xff)]) {
      const found = await unpack(kind, Buffer.concat([packed, behind]));
      expect(found?.bytes.equals(image)).toBe(true);
      // A checksum behind a frame of LZ4 is left to what follows.
      expect(packed.length - (found?.packedBytes ?? 0)).toBe(kind === 'lz4-frame' ? 4 : 0);
    }
  });

  it.each([
    ['zboot', zboot(gzipSync(image), 'gzip')],
    ['bzImage', bzImage(gzipSync(image), { sized: false })],
  ] as const)('takes the payload out of %s, still packed', async (kind, bytes) => {
    const found = await unpack(kind, Buffer.concat([bytes, Buffer.alloc(9999, 1)]));
    expect(found?.bytes.equals(gzipSync(image))).toBe(true);
    expect(found?.packedBytes).toBeLessThanOrEqual(bytes.length);
  });

  it.each(FORMS)('passes over %s of anything else, and of a small module', async (kind, pack) => {
    expect(await unpack(kind, pack(Buffer.alloc(100_000, 'text')))).toBeUndefined();
    expect((await unpack(kind, pack(object)))?.bytes.equals(object)).toBe(true);
    expect(await unpack(kind, pack(object), { smallestElf: 1 << 20 })).toBeUndefined();
  });

  it.each(FORMS.slice(0, 3))('says so where a kernel in %s is cut off', async (kind, pack) => {
    const packed = pack(image);
    const error = await failureOf(() => unpack(kind, packed.subarray(0, packed.length - 600)));
    expect(error).toMatchObject({ code: 'BUILD_BAD_IMAGE' });
  });

  it('unpacks no more than it is allowed to, and says how much it tried', async () => {
    const measured: number[] = [];
    const bomb = gzipSync(Buffer.concat([image, Buffer.alloc(8 << 20)]));
    const error = await failureOf(() =>
      unpack('gzip', bomb, { onMeasured: (n: number) => measured.push(n) }),
    );
    expect(error.message).toContain('too large');
    expect(measured).toHaveLength(1);
  });

  it('finds nothing or refuses, whatever follows a magic', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...PACKED_MARKS),
        fc.uint8Array({ maxLength: 300 }),
        fc.boolean(),
        async ({ kind, bytes, within }, noise, isLong) => {
          const before = Buffer.alloc(within?.offset ?? 0);
          const whole = Buffer.concat([before, bytes, noise, Buffer.alloc(isLong ? 5000 : 0)]);
          const result = await unpack(kind, whole).catch((error: unknown) => error);
          if (result instanceof Error) expect(result).toMatchObject({ code: 'BUILD_BAD_IMAGE' });
          else expect(result).toBeUndefined();
        },
      ),
    );
  });

  it('finds it or refuses, wherever it is damaged', async () => {
    const forms = FORMS.slice(0, 3).map(([kind, pack]) => [kind, pack(image)] as const);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...forms),
        fc.nat(),
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
        async ([kind, packed], place, change) => {
          const bytes = Buffer.from(packed);
          Buffer.from(change).copy(bytes, place % bytes.length);
          const result = await unpack(kind, bytes).catch((error: unknown) => error);
          if (result instanceof Error) expect(result).toMatchObject({ code: 'BUILD_BAD_IMAGE' });
        },
      ),
    );
  });
});

describe('PACKED_MARKS', () => {
  const marked = (kind: PackedKind, bytes: Buffer) => {
    const mark = PACKED_MARKS.find((one) => one.kind === kind)!;
    const at = mark.within?.offset ?? 0;
    return bytes.indexOf(mark.bytes) === at && mark.fits.test(bytes.subarray(at, at + mark.fits.bytes));
  };

  it.each([
    ...FORMS.map(([kind, pack]) => [kind, pack(image)] as const),
    ['zboot', zboot(gzipSync(image), 'gzip')] as const,
    ['bzImage', bzImage(gzipSync(image), { sized: false })] as const,
  ])('know %s', (kind, bytes) => {
    expect(marked(kind, bytes)).toBe(true);
    expect(marked(kind, bytes.subarray(0, 4))).toBe(false);
  });

  it('pass over magics one after another', () => {
    for (const { bytes, fits } of PACKED_MARKS) {
      const again = Buffer.alloc(64, bytes);
      if (bytes.length !== 4 || bytes[0] !== 0x28)
        expect(fits.test(again.subarray(0, fits.bytes))).toBe(false);
    }
  });
});
