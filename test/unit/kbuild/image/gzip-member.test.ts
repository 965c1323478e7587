import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { GzipFault, unpackGzipMember } from '../../../../src/kbuild/image/gzip-member';

const content = Buffer.from('a kernel, more or less '.repeat(50));
const packed = gzipSync(content);

describe('unpackGzipMember', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a device tree', Buffer.from('d00dfeed00000038', 'hex')],
    ['what looks like another member', Buffer.from('1f8b080000', 'hex')],
    ['another member', gzipSync('another')],
  ])('gives the first member when %s follows', async (_, behind) => {
    expect((await unpackGzipMember(Buffer.concat([packed, behind]), 1e6)).equals(content)).toBe(true);
  });

  it('passes over all that a header can have', async () => {
    const header = Buffer.from(packed.subarray(0, 10));
    header[3] = 2 | 4 | 8 | 16;
    const extras = Buffer.from('\x03\0abcImage\0a comment\0\x12\x34', 'latin1');
    const member = Buffer.concat([header, extras, packed.subarray(10)]);
    expect((await unpackGzipMember(member, 1e6)).equals(content)).toBe(true);
  });

  it('unpacks no more than it may', async () => {
    await expect(unpackGzipMember(packed, content.length)).resolves.toHaveLength(content.length);
    await expect(unpackGzipMember(packed, content.length - 1)).rejects.toThrow(
      'it unpacks to more than 1149 bytes',
    );
  });

  it('notices when any byte of the data or its end is missing', async () => {
    for (let length = 0; length < packed.length; length++) {
      await expect(unpackGzipMember(packed.subarray(0, length), 1e6)).rejects.toThrow(GzipFault);
    }
  });

  it('gives the content or notices, whatever bits are flipped', async () => {
    const at = fc.integer({ min: 2, max: packed.length - 1 });
    await fc.assert(
      fc.asyncProperty(at, fc.integer({ min: 0, max: 7 }), async (index, bit) => {
        const damaged = Buffer.from(packed);
        damaged[index]! ^= 1 << bit;
        try {
          expect((await unpackGzipMember(damaged, 1e6)).equals(content)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(GzipFault);
        }
      }),
    );
  });
});
