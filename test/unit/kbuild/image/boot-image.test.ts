import fc from 'fast-check';
import { bootImage } from '../../../../fixtures/images/make-images';
import { findBootKernel } from '../../../../src/kbuild/image/boot-image';
import { bufferSource } from '../../../../src/core/byte-source';
import { failureOf } from './failure';

const kernel = Buffer.alloc(5000, 'kernel');
const find = (image: Buffer) => findBootKernel(bufferSource(image), 'boot.img');

describe('findBootKernel', () => {
  it.each([0, 1, 2, 3, 4])('finds the kernel behind a header of version %i', async (headerVersion) => {
    const image = bootImage(headerVersion, kernel);
    const { offset, size, ...rest } = await find(image);
    expect(rest).toEqual({ headerVersion });
    expect(image.subarray(offset, offset + size)).toEqual(kernel);
  });

  it('goes by the page size that an old header gives', async () => {
    expect(await find(bootImage(2, kernel, { pageSize: 16384 }))).toMatchObject({ offset: 16384 });
  });

  it('reads nothing but the header', async () => {
    const image = bootImage(4, kernel);
    const reads: [number, number][] = [];
    const read = async (offset: number, length: number) => {
      reads.push([offset, length]);
      return image.subarray(offset, offset + length);
    };
    await findBootKernel({ size: image.length, read }, 'boot_a');
    expect(reads).toEqual([[0, 4096]]);
  });

  const changed = (image: Buffer, change: (copy: Buffer) => unknown) => {
    change(image);
    return image;
  };

  it.each([
    ['an empty file', Buffer.alloc(0), 'is no Android boot image; it is empty'],
    [
      'a vendor_boot image',
      Buffer.from('VNDRBOOT'),
      'it is a vendor_boot image, and the kernel is in the boot',
    ],
    ['a partition of zeros', Buffer.alloc(8192), 'it is empty: it begins with zero bytes'],
    ['what it does not know', Buffer.from('what is this?'), 'it begins with 77 68 61 74 20 69 73 20'],
    ['a header that ends early', Buffer.from('ANDROID!'), 'ends within the header'],
    ['a version of the future', bootImage(5, kernel), 'header version 5; kh reads 0 to 4'],
    ['no kernel', bootImage(4, Buffer.alloc(0)), 'is a boot image without a kernel'],
    [
      'a page of no bytes',
      changed(bootImage(0, kernel), (b) => b.writeUInt32LE(0, 36)),
      'page size is given as 0',
    ],
    [
      'an odd page size',
      changed(bootImage(2, kernel), (b) => b.writeUInt32LE(3000, 36)),
      'page size is given as 3000',
    ],
    [
      'a kernel that is cut off',
      bootImage(3, kernel).subarray(0, 9000),
      'should take 5000 bytes from 4096 on, but it has only 9000',
    ],
  ])('refuses %s', async (_, image, message) => {
    const failure = await failureOf(() => find(image));
    expect(failure.code).toBe('BUILD_BAD_IMAGE');
    expect(failure.message).toContain(message);
    expect(failure.message).toMatch(/^boot\.img /);
  });

  it('never names bytes that the image does not have', async () => {
    const field = fc.record({ at: fc.integer({ min: 0, max: 47 }), value: fc.integer({ min: 0, max: 255 }) });
    const version = fc.integer({ min: 0, max: 4 });
    await fc.assert(
      fc.asyncProperty(version, fc.array(field, { maxLength: 4 }), async (headerVersion, fields) => {
        const image = bootImage(headerVersion, kernel);
        for (const { at, value } of fields) image[at] = value;
        const found = await find(image).catch((error: unknown) => failureOf(() => Promise.reject(error)));
        if ('offset' in found) expect(found.offset + found.size).toBeLessThanOrEqual(image.length);
        else expect(found.code).toBe('BUILD_BAD_IMAGE');
      }),
    );
  });
});
