import { open } from 'node:fs/promises';
import { KhError } from '../../core/errors';

/** Bytes that are read where they are needed: a file here, or a partition on a device. */
export interface ByteSource {
  readonly size: number;
  /** Exactly `length` bytes; both numbers lie within `size`. */
  read(offset: number, length: number): Promise<Buffer>;
}

/** Bytes in memory. */
export function bufferSource(bytes: Buffer): ByteSource {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}

/**
 * A file on this machine; disposing closes it.
 *
 * @throws KhError USAGE when it cannot be opened or read, BUILD_BAD_IMAGE when it shrinks while it is read
 */
export async function openFileSource(path: string): Promise<ByteSource & AsyncDisposable> {
  const file = await open(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  const { size } = await file.stat();
  return {
    size,
    read: async (offset, length) => {
      const bytes = Buffer.allocUnsafe(length);
      const { bytesRead } = await file.read(bytes, 0, length, offset).catch((cause: unknown) => {
        throw unreadable(path, cause);
      });
      if (bytesRead === length) return bytes;
      throw new KhError('BUILD_BAD_IMAGE', { message: `${path} ended while it was read`, details: { path } });
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

function unreadable(path: string, cause: unknown): KhError {
  const message = `${path} cannot be read: ${(cause as Error).message}`;
  return new KhError('USAGE', { message, details: { path }, cause });
}
