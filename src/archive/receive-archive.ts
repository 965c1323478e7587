import { writeSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { diskError } from '../core/disk-error';
import { KhError } from '../core/errors';
import { digestedChunks } from './digested-chunks';
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
    const { limits, signal, onBytes } = options;
    const take = (chunk: Buffer) => writeAll(part, chunk, partPath, neededBytes);
    const digested = digestedChunks(chunks, { limits, signal, onBytes, take });
    const unpacked = await unpackWhatCan(digested.chunks, { ...options, neededBytes });
    const digests = await digested.rest();
    await part.chmod(0o644);
    await part.sync();
    return { ...digests, unpacked };
  } catch (error) {
    options.signal.throwIfAborted();
    throw error;
  } finally {
    await part.close();
  }
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

/** Synchronous, as for the files of the tree: a trip through the thread pool takes longer than the write itself. */
function writeAll(part: FileHandle, chunk: Buffer, path: string, neededBytes: number | undefined): void {
  try {
    for (let at = 0; at < chunk.length;) at += writeSync(part.fd, chunk, at);
  } catch (error) {
    throw diskError(error, path, neededBytes);
  }
}
