import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { diskError } from '../core/disk-error';
import type { ArchiveLimits } from '../core/limits';
import { extractTar, type UnpackedTree } from './tar/extract-tar';
import type { DiskTraits } from './tar/disk-traits';
import { decodeXz, type DecoderName } from './xz/decode-xz';

export interface UnpackOptions {
  /** An empty folder of our own; the archive's `./` is this folder. */
  treePath: string;
  limits: ArchiveLimits;
  signal: AbortSignal;
  /** Takes this xz decoder and no other. */
  decoder?: DecoderName | undefined;
  /** What is known of the disk; found out by a probe when left out. */
  disk?: DiskTraits | undefined;
  /** The mode of the tree's directories (default 0755). */
  folderMode?: number | undefined;
}

/** 6,500 small files take 43 MB on 4 KiB blocks, of an archive of 3.9 MB. */
export const TREE_BYTES_PER_ARCHIVE_BYTE = 11;

/**
 * Unpacks a kheaders.tar.xz from disk.
 *
 * @throws KhError ARCHIVE_*, XZ_UNAVAILABLE, STORE_FULL, STORE_DENIED, STORE_IO; what was made until then stays
 */
export async function unpackArchive(archivePath: string, options: UnpackOptions): Promise<UnpackedTree> {
  const bytes = await archiveBytes(archivePath);
  return unpackChunks(archiveChunks(archivePath), {
    ...options,
    neededBytes: bytes * TREE_BYTES_PER_ARCHIVE_BYTE,
  });
}

/** The same from a stream of chunks, whose own errors come through as they are. */
export function unpackChunks(
  chunks: AsyncIterable<Buffer>,
  options: UnpackOptions & { neededBytes?: number | undefined },
): Promise<UnpackedTree> {
  const { limits, signal, decoder } = options;
  const tar = decodeXz(chunks, {
    memoryLimit: limits.decoderMemoryBytes,
    outputLimit: limits.unpackedBytes,
    signal,
    decoder,
  });
  return extractTar(tar, options);
}

/** Reads an archive from disk. @throws KhError STORE_DENIED, STORE_IO */
export async function* archiveChunks(path: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk as Buffer;
  } catch (error) {
    throw diskError(error, path);
  }
}

async function archiveBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw diskError(error, path);
  }
}
