import fc from 'fast-check';
import { lz4Frame, lz4Legacy, word } from '../../../../fixtures/images/lz4-encode';
import { Lz4Fault, unpackLz4Frame, unpackLz4Legacy } from '../../../../src/kbuild/image/lz4';

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

describe('unpackLz4Frame', () => {
  const options = fc.record({
    linked: fc.boolean(),
    blockChecksums: fc.boolean(),
    contentSize: fc.boolean(),
    stored: fc.boolean(),
    blockSize: fc.constantFrom(500, 4000, 65536),
  });

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
