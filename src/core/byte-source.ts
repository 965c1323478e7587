import type { Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { isErrno, KhError } from './errors';

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
 * A file or a block device on this machine; disposing closes it.
 *
 * @throws KhError USAGE when it is neither, or cannot be opened or read; BUILD_BAD_IMAGE when it shrinks while it is read
 */
export async function openFileSource(path: string): Promise<ByteSource & AsyncDisposable> {
  const failed = (cause: unknown) => {
    throw unreadable(path, cause);
  };
  refuseUnseekable(path, await stat(path).catch(failed));
  const file = await open(path).catch(failed);
  const readInto = async (offset: number, into: Buffer) => {
    const { bytesRead } = await file.read(into, 0, into.length, offset).catch(failed);
    if (bytesRead === into.length) return;
    throw new KhError('BUILD_BAD_IMAGE', { message: `${path} ended while it was read`, details: { path } });
  };
  const holds = async (offset: number) => (await file.read(Buffer.alloc(1), 0, 1, offset)).bytesRead > 0;
  try {
    const { size } = await file.stat();
    return {
      // Of block devices, and of what the kernel makes up as it is read, stat tells no size.
      size: size > 0 ? size : await findEnd(holds),
      readInto,
      read: async (offset, length) => {
        const bytes = Buffer.allocUnsafe(length);
        await readInto(offset, bytes);
        return bytes;
      },
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error instanceof KhError ? error : unreadable(path, error);
  }
}

/** More than any disk has, and what fits into an offset of read(2). */
const FARTHEST = 2 ** 52;

/**
 * Where something ends that does not tell its size: by doubling, then by halving.
 *
 * @param holds whether a byte is at an offset
 * @returns bytes
 */
export async function findEnd(holds: (offset: number) => Promise<boolean>): Promise<number> {
  let [low, high] = [0, 1];
  while (high < FARTHEST && (await holds(high - 1))) [low, high] = [high, 2 * high];
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (await holds(middle - 1)) low = middle;
    else high = middle;
  }
  return low;
}

/** Images are read here and there, which a pipe does not allow, and opening one would wait for a writer. */
function refuseUnseekable(path: string, stats: Stats): void {
  const kind = UNSEEKABLE.find(({ is }) => is(stats));
  if (kind === undefined) return;
  throw new KhError('USAGE', {
    message: `${path} is a ${kind.name}, not a file`,
    hint: kind.hint,
    details: { path },
  });
}

const UNSEEKABLE: { name: string; is: (stats: Stats) => boolean; hint: string }[] = [
  { name: 'folder', is: (stats) => stats.isDirectory(), hint: 'Name a file in it.' },
  { name: 'pipe', is: (stats) => stats.isFIFO(), hint: 'Write what it gives to a file, and name that.' },
  { name: 'socket', is: (stats) => stats.isSocket(), hint: 'Name a file or a block device.' },
  {
    name: 'character device',
    is: (stats) => stats.isCharacterDevice(),
    hint: 'Name the block device of the same partition, or a copy of it in a file.',
  },
];

function unreadable(path: string, cause: unknown): KhError {
  const code = isErrno(cause, ...Object.keys(REASONS)) ? (cause.code ?? '') : '';
  const { why = (cause as Error).message, hint } = REASONS[code] ?? {};
  const message = `${path} cannot be read: ${why}`;
  return new KhError('USAGE', { message, ...(hint && { hint }), details: { path }, cause });
}

const REASONS: Record<string, { why: string; hint?: string }> = {
  ENOENT: { why: 'no such file or directory' },
  ENOTDIR: { why: 'a file stands where a folder should be' },
  EACCES: {
    why: 'permission denied',
    hint: 'Check who owns it; a partition of this machine is read as root.',
  },
  EPERM: {
    why: 'permission denied',
    hint: 'Check who owns it; a partition of this machine is read as root.',
  },
  EIO: {
    why: 'the disk reports an error',
    hint: 'Look at the system log; copy what can be read with ddrescue.',
  },
};
