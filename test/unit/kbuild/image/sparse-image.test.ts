import fc from 'fast-check';
import { expanded, sparseImage, type SparseRun } from '../../../../fixtures/images/sparse-encode';
import { bufferSource } from '../../../../src/core/byte-source';
import { openSparseImage } from '../../../../src/kbuild/image/sparse-image';
import { failureOf } from './failure';

const open = (bytes: Buffer) => openSparseImage(bufferSource(bytes), 'the image');
const block = (text: string) => Buffer.alloc(16, text);
const RUNS: SparseRun[] = [
  block('a'),
  { skip: 3 },
  { fill: 0x04030201, blocks: 2 },
  block('b'),
  { fill: 0, blocks: 1 },
];

describe('openSparseImage', () => {
  it('reads any part as simg2img would write it', async () => {
    const source = await open(sparseImage(RUNS, 16));
    const whole = expanded(RUNS, 16);
    expect(source.size).toBe(whole.length);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length), fc.nat(whole.length), async (one, other) => {
        const [start, end] = [Math.min(one, other), Math.max(one, other)];
        expect((await source.read(start, end - start)).equals(whole.subarray(start, end))).toBe(true);
      }),
    );
  });

  it.each([
    ['is cut off', (bytes: Buffer) => bytes.subarray(0, -1), /cut off: it ends in chunk \d of 5/],
    ['ends within its header', (bytes: Buffer) => bytes.subarray(0, 20), /no sparse image/],
    ['has blocks of no size', (bytes: Buffer) => Buffer.from(bytes).fill(0, 12, 16), /makes no sense/],
    ['has a chunk of no known type', (bytes: Buffer) => Buffer.from(bytes).fill(0, 28, 30), /damaged/],
  ])('refuses one that %s', async (_, spoil, why) => {
    const error = await failureOf(() => open(spoil(sparseImage(RUNS, 16))));
    expect(error).toMatchObject({ code: 'BUILD_BAD_IMAGE', message: expect.stringMatching(why) as string });
  });

  it('reads or refuses any bytes behind the magic', async () => {
    const header = sparseImage(RUNS, 16).subarray(0, 28);
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(27),
        fc.nat(255),
        async (noise, at, value) => {
          const bytes = Buffer.concat([header, noise]);
          if (at > 3) bytes.writeUInt8(value, at);
          const source = await open(bytes).catch((error: unknown) => error as Error);
          if (source instanceof Error) expect(source).toMatchObject({ code: 'BUILD_BAD_IMAGE' });
          else expect((await source.read(0, Math.min(100, source.size))).length).toBeLessThanOrEqual(100);
        },
      ),
    );
  });
});
