import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { bufferSource } from '../../../../src/core/byte-source';
import { measureZstd } from '../../../../src/kbuild/image/zstd-frame';

const MAGIC = Buffer.from('28b52ffd', 'hex');
const measure = (...parts: Buffer[]) => measureZstd(bufferSource(Buffer.concat(parts)));

interface Block {
  /** 0: as it is, 1: one byte repeated, 2: packed. */
  type: number;
  bytes: number;
}

interface Frame {
  /** The code of the field for the size of what is packed. */
  sizeCode: number;
  single: boolean;
  checksum: boolean;
  /** The code of the field for a dictionary's name. */
  nameCode: number;
  blocks: Block[];
}

/** A frame by RFC 8878: nothing in it has to be unpacked. */
function frameOf({ sizeCode, single, checksum, nameCode, blocks }: Frame): Buffer {
  const flags = (sizeCode << 6) | (single ? 0x20 : 0) | (checksum ? 4 : 0) | nameCode;
  const sizeField = [single ? 1 : 0, 2, 4, 8][sizeCode] ?? 0;
  const fields = (single ? 0 : 1) + ([0, 1, 2, 4][nameCode] ?? 0) + sizeField;
  const parts = blocks.map(({ type, bytes }, at) => {
    const head = Buffer.alloc(3);
    head.writeUIntLE((bytes << 3) | (type << 1) | (at === blocks.length - 1 ? 1 : 0), 0, 3);
    return Buffer.concat([head, Buffer.alloc(type === 1 ? 1 : bytes, 0x5a)]);
  });
  const end = Buffer.alloc(checksum ? 4 : 0, 0xcc);
  return Buffer.concat([MAGIC, Buffer.from([flags]), Buffer.alloc(fields, 0x11), ...parts, end]);
}

const frames = fc.record({
  sizeCode: fc.integer({ min: 0, max: 3 }),
  single: fc.boolean(),
  checksum: fc.boolean(),
  nameCode: fc.integer({ min: 0, max: 3 }),
  blocks: fc.array(
    fc.record({ type: fc.integer({ min: 0, max: 2 }), bytes: fc.integer({ min: 0, max: 3000 }) }),
    { minLength: 1, maxLength: 6 },
  ),
});
const plain: Frame = {
  sizeCode: 0,
  single: false,
  checksum: false,
  nameCode: 0,
  blocks: [{ type: 0, bytes: 9 }],
};

describe('measureZstd', () => {
  it('measures a frame with each option of the format, whatever follows it', async () => {
    await fc.assert(
      fc.asyncProperty(frames, fc.uint8Array({ maxLength: 300 }), async (frame, behind) => {
        const packed = frameOf(frame);
        expect(await measure(packed, Buffer.from(behind))).toBe(packed.length);
      }),
    );
  });

  it('gives up on a frame that is cut off anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(frames, fc.double({ min: 0, max: 1, noNaN: true }), async (frame, part) => {
        const packed = frameOf(frame);
        expect(await measure(packed.subarray(0, Math.floor(part * (packed.length - 1))))).toBeUndefined();
      }),
    );
  });

  it.each(['-3', '--no-check', '-19 --long=27', '--no-content-size', '-1 -B64KB'])(
    'measures what zstd %s makes',
    async (words) => {
      const bytes = Buffer.from(Array.from({ length: 400_000 }, (_, n) => Math.imul(n, n * 7 + 3) >>> 11));
      const { status, stdout } = spawnSync('zstd', ['-c', '-q', ...words.split(' ')], { input: bytes });
      expect(status).toBe(0);
      expect(await measure(stdout, Buffer.alloc(500, 0xff))).toBe(stdout.length);
    },
  );

  it.each([
    ['a reserved bit', Buffer.concat([MAGIC, Buffer.from([0x08]), frameOf(plain).subarray(5)])],
    ['a reserved kind of block', frameOf({ ...plain, blocks: [{ type: 3, bytes: 9 }] })],
    ['a block that is larger than any', frameOf({ ...plain, blocks: [{ type: 0, bytes: 128 * 1024 + 1 }] })],
    [
      'more blocks than any kernel has',
      frameOf({ ...plain, blocks: Array(10_001).fill({ type: 1, bytes: 1 }) as Block[] }),
    ],
    ['the magic alone', MAGIC],
    ['nothing', Buffer.alloc(0)],
  ])('gives up on %s', async (_, bytes) => {
    expect(await measure(bytes)).toBeUndefined();
  });

  it('never tells of more than there is, whatever follows the magic', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (rest) => {
        const measured = await measure(MAGIC, Buffer.from(rest));
        if (measured !== undefined) expect(measured).toBeLessThanOrEqual(MAGIC.length + rest.length);
        return true;
      }),
    );
  });
});
