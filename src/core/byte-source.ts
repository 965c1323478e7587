import { open } from 'node:fs/promises';
import { KhError } from './errors';

/** Bytes that are read where they are needed: a file here, or a partition on a device. */
export interface ByteSource {
  readonly size: number;
  /** Exactly `length` bytes; both numbers lie within `size`. */
  read(offset: number, length: number): Promise<Buffer>;
  /** The same into a buffer that is at hand, for who reads all of something large. */
  readInto?(offset: number, into: Buffer): Promise<void>;
}

/** Bytes in memory. */
export function bufferSource(bytes: Buffer): ByteSource {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}

/** A part of a source, as a source of its own; both numbers lie within it. */
export function sliceSource(source: ByteSource, start: number, size: number): ByteSource {
  return {
    size,
    read: (offset, length) => source.read(start + offset, length),
    ...(source.readInto && {
      readInto: (offset, into) => source.readInto?.(start + offset, into) ?? Promise.resolve(),
    }),
  };
}

/** A part of a source in pieces, as they are asked for. */
export async function* chunksOf(source: ByteSource, start = 0, end = source.size): AsyncGenerator<Buffer> {
  for (let at = start; at < end; at += CHUNK) yield await source.read(at, Math.min(CHUNK, end - at));
}

const CHUNK = 64 * 1024;

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
  const readInto = async (offset: number, into: Buffer) => {
    const { bytesRead } = await file.read(into, 0, into.length, offset).catch((cause: unknown) => {
      throw unreadable(path, cause);
    });
    if (bytesRead === into.length) return;
    throw new KhError('BUILD_BAD_IMAGE', { message: `${path} ended while it was read`, details: { path } });
  };
  return {
    size,
    readInto,
    read: async (offset, length) => {
      const bytes = Buffer.allocUnsafe(length);
      await readInto(offset, bytes);
      return bytes;
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

function unreadable(path: string, cause: unknown): KhError {
  const message = `${path} cannot be read: ${(cause as Error).message}`;
  return new KhError('USAGE', { message, details: { path }, cause });
}
