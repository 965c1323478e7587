import { createHash } from 'node:crypto';
import { KhError } from '../core/errors';
import { humanBytes } from '../core/human';
import type { ArchiveLimits } from '../core/limits';

export interface DigestOptions {
  limits: Pick<ArchiveLimits, 'archiveBytes'>;
  signal: AbortSignal;
  /** Given each chunk before whoever reads on. */
  take?: (chunk: Buffer) => void;
  /** Told how many bytes have come so far. */
  onBytes?: ((bytes: number) => void) | undefined;
}

/** The chunks of an archive, and what they were, once they have been taken. */
export interface DigestedChunks {
  /** Whoever stops reading does not close the source. */
  chunks: AsyncIterable<Buffer>;
  /**
   * Takes what the reader left, up to the end.
   *
   * @throws what the source or `take` threw, also where the reader swallowed it; KhError ARCHIVE_LIMIT; or the signal's reason
   */
  rest: () => Promise<{ bytes: number; md5: string; sha256: string }>;
}

/** Passes the bytes of an archive on to a reader once they are hashed: all of them, wherever the reader stops. */
export function digestedChunks(source: AsyncIterable<Buffer>, options: DigestOptions): DigestedChunks {
  const { limits, signal, take, onBytes } = options;
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  const failures: unknown[] = [];
  let bytes = 0;

  async function* digested(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of source) {
        signal.throwIfAborted();
        bytes += chunk.length;
        if (bytes > limits.archiveBytes) throw tooLong(limits.archiveBytes);
        md5.update(chunk);
        sha256.update(chunk);
        take?.(chunk);
        onBytes?.(bytes);
        yield chunk;
      }
    } catch (error) {
      failures.push(error);
      throw error;
    }
  }

  const chunks = digested();
  return {
    chunks: { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) },
    rest: async () => {
      while ((await chunks.next()).done !== true);
      if (failures.length > 0) throw failures[0];
      signal.throwIfAborted();
      return { bytes, md5: md5.digest('hex'), sha256: sha256.digest('hex') };
    },
  };
}

function tooLong(limit: number): KhError {
  return new KhError('ARCHIVE_LIMIT', {
    message: `the archive is longer than the ${humanBytes(limit)} allowed`,
    hint: 'Real ones have about 4 MB.',
    details: { limitBytes: limit },
  });
}
