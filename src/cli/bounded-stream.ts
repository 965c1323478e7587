import type { Writable } from 'node:stream';
import { isErrno } from '../core/errors';

/** A stream that takes text only as long as somebody reads it. */
export interface BoundedStream {
  /** Whether `write` would take anything. */
  hasRoom(): boolean;
  write(text: string): void;
  /** Waits a moment for what has been written to be read. @returns whether it was: else the process has to exit by force */
  close(): Promise<boolean>;
}

/** Bytes that may wait for a reader: some thousand lines. */
const MOST_WAITING = 2 ** 20;

/** Milliseconds that a reader is given at the end. */
const LAST_CHANCE = 500;

/**
 * Writes for as long as somebody reads. A stream takes whatever it is given,
 * and keeps it in memory: over months that must not be without bound.
 *
 * @param onGone the reader has closed its end: nobody will read any more
 * @param onError writing failed in another way, as on a full disk
 */
export function boundedStream(
  stream: Writable,
  { onGone, onError }: { onGone: () => void; onError: (error: unknown) => void },
): BoundedStream {
  let usable = true;
  stream.on('error', (error) => {
    if (usable) (isErrno(error, 'EPIPE') ? onGone : onError)(error);
    usable = false;
  });
  const hasRoom = () => usable && stream.writableLength < MOST_WAITING;
  return {
    hasRoom,
    write: (text) => {
      if (hasRoom()) stream.write(text);
    },
    close: async () => {
      if (!usable || stream.writableLength === 0) return true;
      let timer: NodeJS.Timeout | undefined;
      const read = new Promise<void>((resolve) => stream.write('', () => resolve()));
      const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, LAST_CHANCE)));
      await Promise.race([read, over]);
      clearTimeout(timer);
      return stream.writableLength === 0;
    },
  };
}
