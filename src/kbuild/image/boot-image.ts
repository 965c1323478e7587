import type { ByteSource } from '../../core/byte-source';
import { badImage, describeImage, imageKind } from './image-kind';

/** Where in a boot image the kernel is, as the bootloader would hand it on: packed, mostly. */
export interface BootKernel {
  offset: number;
  size: number;
  headerVersion: number;
}

/** Enough for every header; version 4 has 1584 bytes. */
const HEADER_BYTES = 4096;
const NEWEST_VERSION = 4;

/**
 * Finds the kernel in an Android boot image of header version 0 to 4, reading
 * the header alone. What follows the last part (padding, the AVB footer) is
 * left alone.
 *
 * @param name for messages
 * @throws KhError BUILD_BAD_IMAGE
 * @see AOSP system/tools/mkbootimg/include/bootimg/bootimg.h
 */
export async function findBootKernel(source: ByteSource, name: string): Promise<BootKernel> {
  const header = await source.read(0, Math.min(HEADER_BYTES, source.size));
  if (imageKind(header) !== 'boot') {
    throw badImage(name, `is no Android boot image; it is ${describeImage(header)}`);
  }
  if (header.length < HEADER_BYTES) throw badImage(name, `ends within the header of a boot image`);
  const headerVersion = header.readUInt32LE(40);
  if (headerVersion > NEWEST_VERSION) {
    throw badImage(
      name,
      `is a boot image of header version ${headerVersion}; kh reads 0 to ${NEWEST_VERSION}`,
    );
  }
  const size = header.readUInt32LE(8);
  const offset = headerVersion < 3 ? pageSize(header, name) : HEADER_BYTES;
  if (size === 0) throw badImage(name, 'is a boot image without a kernel, as init_boot and recovery can be');
  if (offset + size > source.size) {
    throw badImage(
      name,
      `is cut off: its kernel should take ${size} bytes from ${offset} on, but it has only ${source.size}`,
    );
  }
  return { offset, size, headerVersion };
}

/** Up to version 2 the header takes one page of the flash it was made for. */
function pageSize(header: Buffer, name: string): number {
  const size = header.readUInt32LE(36);
  const sound = size >= 2048 && size <= 65536 && (size & (size - 1)) === 0;
  if (!sound) throw badImage(name, `is a damaged boot image: its page size is given as ${size}`);
  return size;
}
