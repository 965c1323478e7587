import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { outputError } from '../../core/disk-error';
import { encodeXzStream, type StreamOptions } from '../xz/encode-xz';

export interface PackedArchive {
  bytes: number;
  /** Lower-case hex. */
  md5: string;
  sha256: string;
}

/**
 * Compresses a tar stream into a file, which others see whole or not at all;
 * one that is there is replaced.
 *
 * @throws KhError XZ_UNAVAILABLE, STORE_FULL, STORE_DENIED, STORE_IO; the signal's reason, or what `tar` throws
 */
export async function packArchive(
  tar: Iterable<Buffer>,
  path: string,
  options: StreamOptions,
): Promise<PackedArchive> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  let bytes = 0;
  try {
    await pipeline(
      encodeXzStream(tar, options),
      async function* digested(chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          md5.update(chunk);
          sha256.update(chunk);
          bytes += chunk.length;
          yield chunk;
        }
      },
      createWriteStream(temporary, { flags: 'wx' }),
    );
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    options.signal.throwIfAborted();
    throw outputError(error, path);
  }
  return { bytes, md5: md5.digest('hex'), sha256: sha256.digest('hex') };
}
