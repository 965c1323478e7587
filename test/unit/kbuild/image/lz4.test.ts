import fc from 'fast-check';
import { lz4Frame, lz4Legacy, word } from '../../../../fixtures/images/lz4-encode';
import { bufferSource } from '../../../../src/core/byte-source';
import {
  Lz4Fault,
  measureLz4,
  unpackLz4Frame,
  unpackLz4Legacy,
  type Lz4Kind,
} from '../../../../src/kbuild/image/lz4';

const LIMIT = 1 << 20;
/** Runs, repeats and chance: what makes short, long and overlapping matches. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
      fc.integer({ min: 1, max: 2000 }).map((length) => Buffer.alloc(length, 'ab')),
      fc.integer({ min: 1, max: 500 }).map((length) => Buffer.alloc(length)),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts))
  .filter(({ length }) => length > 0);

describe('unpackLz4Legacy', () => {
  it('gives back what was packed, whatever follows it', () => {
    fc.assert(
      fc.property(content, (bytes) => {
        const packed = Buffer.concat([lz4Legacy(bytes), Buffer.from('d00dfeed00000000', 'hex')]);
        expect(unpackLz4Legacy(packed, LIMIT).equals(bytes)).toBe(true);
      }),
    );
  });

  it('joins the blocks of a long file, and files that follow each other', () => {
    const long = Buffer.alloc((8 << 20) + 5000, 'long ');
    expect(unpackLz4Legacy(lz4Legacy(long), 16 << 20).equals(long)).toBe(true);
    const two = Buffer.concat([lz4Legacy(Buffer.from('one, ')), lz4Legacy(Buffer.from('two'))]);
    expect(unpackLz4Legacy(two, LIMIT).toString()).toBe('one, two');
  });

  const block = (...bytes: number[]) =>
    Buffer.concat([word(0x184c2102), word(bytes.length), Buffer.from(bytes)]);

  it.each([
    ['nothing', word(0x184c2102), /holds nothing/],
    ['a block that ends in the middle', lz4Legacy(Buffer.alloc(100, 'x')).subarray(0, -1), /within a block/],
    ['a literal that ends in the middle', block(0x40, 1, 2), /within a literal/],
    ['a length that ends in the middle', block(0xf0, 255), /within a length/],
    ['an offset that ends in the middle', block(0x10, 1, 1), /within an offset/],
    ['a match of what is before the data', block(0x10, 1, 2, 0, 0), /reaches out of the data/],
    ['a match of itself', block(0x10, 1, 0, 0, 0), /reaches out of the data/],
  ])('refuses %s', (_, packed, message) => {
    expect(() => unpackLz4Legacy(packed, LIMIT)).toThrow(message);
    expect(() => unpackLz4Legacy(packed, LIMIT)).toThrow(Lz4Fault);
  });

  it('unpacks no more than it may', () => {
    const packed = lz4Legacy(Buffer.alloc(5000, 'x'));
    expect(unpackLz4Legacy(packed, 5000)).toHaveLength(5000);
    expect(() => unpackLz4Legacy(packed, 4999)).toThrow('it unpacks to more than 4999 bytes');
    expect(() => unpackLz4Legacy(lz4Legacy(Buffer.from('0123456789')), 9)).toThrow('more than 9 bytes');
  });
});

const options = fc.record({
  linked: fc.boolean(),
  blockChecksums: fc.boolean(),
  contentSize: fc.boolean(),
  stored: fc.boolean(),
  blockSize: fc.constantFrom(500, 4000, 65536),
});

describe('unpackLz4Frame', () => {
  it('gives back what was packed, with each option of the format, whatever follows it', () => {
    fc.assert(
      fc.property(content, options, (bytes, frame) => {
        const packed = Buffer.concat([lz4Frame(bytes, frame), Buffer.from('more')]);
        expect(unpackLz4Frame(packed, LIMIT).equals(bytes)).toBe(true);
      }),
    );
  });

  const frame = lz4Frame(Buffer.alloc(3000, 'frame'), { contentSize: true });
  const changed = (at: number, value: number) => {
    const copy = Buffer.from(frame);
    copy[at] = value;
    return copy;
  };

  it.each([
    ['a header that ends early', frame.subarray(0, 12), /within its header/],
    ['another version', changed(4, 0x88), /version 2 of the frame format/],
    ['a block size without a meaning', changed(5, 0x10), /the code 1/],
    ['a dictionary', changed(4, 0x69), /needs a dictionary/],
    ['another size than it gives', changed(6, 1), /holds 3000 bytes, and should hold 2817/],
    ['a block over the block size', changed(17, 2), /ends within a block|a block of/],
    ['no end mark', frame.subarray(0, -8), /before its end mark/],
  ])('refuses %s', (_, packed, message) => {
    expect(() => unpackLz4Frame(packed, LIMIT)).toThrow(message);
  });

  it('lets the blocks that stand alone reach for nothing outside of them', () => {
    const packed = lz4Frame(Buffer.alloc(3000, 'linked'), { linked: true, blockSize: 1000 });
    packed[4] = 0x60;
    expect(() => unpackLz4Frame(packed, LIMIT)).toThrow('reaches out of the data');
  });

  it('unpacks no more than it may', () => {
    for (const stored of [true, false]) {
      expect(() => unpackLz4Frame(lz4Frame(Buffer.alloc(3000), { stored }), 2999)).toThrow(
        'more than 2999 bytes',
      );
    }
  });
});

describe('measureLz4', () => {
  const measure = (kind: Lz4Kind, ...parts: Buffer[]) => measureLz4(kind, bufferSource(Buffer.concat(parts)));
  /** Of a frame of the fixtures: a checksum of the whole, which is left to what follows. */
  const CHECKSUM = 4;
  const tail = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

  it('measures a frame with each option of the format, whatever follows it', async () => {
    await fc.assert(
      fc.asyncProperty(content, options, tail, async (bytes, frame, behind) => {
        const packed = lz4Frame(bytes, frame);
        expect(await measure('lz4-frame', packed, behind)).toBe(packed.length - CHECKSUM);
      }),
    );
  });

  it('gives up on a frame that is cut off anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(
        content,
        options,
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (bytes, frame, part) => {
          const packed = lz4Frame(bytes, frame).subarray(0, -CHECKSUM);
          const length = Math.floor(part * (packed.length - 1));
          expect(await measure('lz4-frame', packed.subarray(0, length))).toBeUndefined();
        },
      ),
    );
  });

  it('measures the legacy format to where no block follows, in one part or several', async () => {
    const [one, two] = [lz4Legacy(Buffer.alloc((8 << 20) + 5000, 'long ')), lz4Legacy(Buffer.from('more'))];
    expect(await measure('lz4-legacy', one)).toBe(one.length);
    expect(await measure('lz4-legacy', one, Buffer.alloc(100))).toBe(one.length);
    expect(await measure('lz4-legacy', one, two, Buffer.alloc(3, 0xff))).toBe(one.length + two.length);
    expect(await measure('lz4-legacy', one, Buffer.from('d00dfeed', 'hex'))).toBe(one.length);
  });

  it('takes of the legacy format no more than up to a block that is cut off', async () => {
    const packed = lz4Legacy(Buffer.alloc(5000, 'x'));
    expect(await measure('lz4-legacy', packed.subarray(0, -1))).toBeUndefined();
    expect(await measure('lz4-legacy', packed, word(5000), Buffer.alloc(4999))).toBe(packed.length);
  });

  it.each([
    ['no block', 'lz4-legacy', Buffer.concat([word(0x184c2102), word(0)])],
    ['a block that is larger than any', 'lz4-legacy', Buffer.concat([word(0x184c2102), word(9 << 20)])],
    ['the magic alone', 'lz4-legacy', word(0x184c2102)],
    ['a header that ends early', 'lz4-frame', lz4Frame(Buffer.alloc(100)).subarray(0, 12)],
    ['a header that makes no sense', 'lz4-frame', Buffer.alloc(100, 0xff)],
    ['nothing', 'lz4-frame', Buffer.alloc(0)],
  ] as const)('gives up on %s', async (_, kind, bytes) => {
    expect(await measure(kind, bytes)).toBeUndefined();
  });

  it('never tells of more than there is, whatever the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<Lz4Kind>('lz4-legacy', 'lz4-frame'),
        fc.constantFrom(Buffer.alloc(0), lz4Frame(Buffer.alloc(50)).subarray(0, 11), word(0x184c2102)),
        fc.uint8Array({ maxLength: 400 }),
        async (kind, start, rest) => {
          const bytes = Buffer.concat([start, rest]);
          const measured = await measure(kind, bytes);
          if (measured !== undefined) expect(measured).toBeLessThanOrEqual(bytes.length);
          return true;
        },
      ),
    );
  });
});
