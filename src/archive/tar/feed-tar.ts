import { KhError } from '../../core/errors';
import type { TarReader } from './tar-reader';

/**
 * Hands a decoded archive to a reader, to its end.
 *
 * @returns the bytes of the tar stream
 * @throws KhError as the chunks and the reader do; or the signal's reason
 */
export async function feedTar(
  chunks: AsyncIterable<Buffer>,
  reader: TarReader,
  signal: AbortSignal,
): Promise<number> {
  let bytes = 0;
  let refusal: KhError | undefined;
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    bytes += chunk.length;
    if (refusal === undefined) refusal = refusalOf(() => reader.push(chunk));
  }
  if (refusal !== undefined) throw refusal;
  reader.finish();
  return bytes;
}

/**
 * Damaged xz data shows in the tar data before its checksum is reached: a
 * member that makes no sense is kept in mind until the decoder has judged.
 */
function refusalOf(work: () => void): KhError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof KhError && ['ARCHIVE_CORRUPT', 'ARCHIVE_UNSAFE'].includes(error.code)) return error;
    throw error;
  }
}
