import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { diskError } from '../core/disk-error';
import { KhError } from '../core/errors';
import { humanBytes } from '../core/human';
import { TREE_BYTES_PER_ARCHIVE_BYTE, unpackChunks, type UnpackOptions } from './unpack-archive';
import type { UnpackedTree } from './tar/extract-tar';

export interface ReceiveOptions extends UnpackOptions {
  /** The file to make; it must not be there yet. */
  partPath: string;
  /** The size that the device gives, for the message when the disk is full. */
  expectedBytes?: number | undefined;
  /** Told how many bytes have arrived so far. */
  onBytes?: ((bytes: number) => void) | undefined;
}

export interface ReceivedArchive {
  bytes: number;
  /** Lower-case hex. */
  md5: string;
  sha256: string;
  /** What came of unpacking; the digests are those of all bytes either way. */
  unpacked: { ok: true; tree: UnpackedTree } | { ok: false; error: KhError };
}

/**
 * Takes an archive in one pass: to a file, to both digests, and to the decoder
 * and the tree, as fast as the slowest of them goes.
 *
 * When the archive cannot be unpacked, the rest of it is still written and
 * hashed: whether it was damaged on the way, or is bad at its source, shows in
 * its md5. An error of `chunks` itself is thrown as it is.
 *
 * @throws KhError STORE_FULL, STORE_DENIED, STORE_IO, ARCHIVE_LIMIT (`archiveBytes`); the caller clears away what is left
 */
export async function receiveArchive(
  chunks: AsyncIterable<Buffer>,
  options: ReceiveOptions,
): Promise<ReceivedArchive> {
  const { partPath, expectedBytes } = options;
  const neededBytes =
    expectedBytes === undefined ? undefined : expectedBytes * (1 + TREE_BYTES_PER_ARCHIVE_BYTE);
  const part = await open(partPath, 'wx', 0o600).catch((error: unknown) => {
    throw diskError(error, partPath, neededBytes);
  });
  try {
    const recording = record(chunks, part, { ...options, neededBytes });
    const unpacked = await unpackWhatCan(keepOpen(recording.chunks), { ...options, neededBytes });
    await takeRest(recording.chunks);
    recording.throwIfFailed();
    options.signal.throwIfAborted();
    await part.chmod(0o644);
    await part.sync();
    return { ...recording.digests(), unpacked };
  } catch (error) {
    options.signal.throwIfAborted();
    throw error;
  } finally {
    await part.close();
  }
}

/** What the decoder left, up to the end or an error of the source. */
async function takeRest(chunks: AsyncGenerator<Buffer>): Promise<void> {
  while ((await chunks.next()).done !== true);
}

type Unpacked = ReceivedArchive['unpacked'];

/** A KhError about the archive or the tree is a result; whatever else fails is not ours to judge. */
async function unpackWhatCan(
  chunks: AsyncIterable<Buffer>,
  options: Parameters<typeof unpackChunks>[1],
): Promise<Unpacked> {
  try {
    return { ok: true, tree: await unpackChunks(chunks, options) };
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof KhError) return { ok: false, error };
    throw error;
  }
}

/** Passes chunks on once they are on disk and hashed; remembers a failure that a reader in between may swallow. */
function record(
  source: AsyncIterable<Buffer>,
  part: FileHandle,
  { partPath, limits, onBytes, signal, neededBytes }: ReceiveOptions & { neededBytes: number | undefined },
) {
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  const failures: unknown[] = [];
  let bytes = 0;

  async function* recorded(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of source) {
        signal.throwIfAborted();
        bytes += chunk.length;
        if (bytes > limits.archiveBytes) throw tooLong(limits.archiveBytes);
        md5.update(chunk);
        sha256.update(chunk);
        writeAll(part, chunk, partPath, neededBytes);
        onBytes?.(bytes);
        yield chunk;
      }
    } catch (error) {
      failures.push(error);
      throw error;
    }
  }

  return {
    chunks: recorded(),
    throwIfFailed: () => {
      if (failures.length > 0) throw failures[0];
    },
    digests: () => ({ bytes, md5: md5.digest('hex'), sha256: sha256.digest('hex') }),
  };
}

/** Synchronous, as for the files of the tree: a trip through the thread pool takes longer than the write itself. */
function writeAll(part: FileHandle, chunk: Buffer, path: string, neededBytes: number | undefined): void {
  try {
    for (let at = 0; at < chunk.length;) at += writeSync(part.fd, chunk, at);
  } catch (error) {
    throw diskError(error, path, neededBytes);
  }
}

/** The same chunks, but whoever stops reading does not close the source. */
function keepOpen(chunks: AsyncGenerator<Buffer>): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) };
}

function tooLong(limit: number): KhError {
  return new KhError('ARCHIVE_LIMIT', {
    message: `the archive is longer than the ${humanBytes(limit)} allowed`,
    hint: 'Real ones have about 4 MB.',
    details: { limitBytes: limit },
  });
}
