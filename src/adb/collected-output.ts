import { KhError } from '../core/errors';
import { humanBytes } from '../core/human';

/** What kh keeps in memory of one command's output. */
const MOST_OUTPUT = 64 * 2 ** 20;

/** The outputs of one command, bounded in sum. */
export interface CollectedOutput {
  /** @throws KhError REMOTE_COMMAND_FAILED when there is more than memory should hold */
  add(stream: 'stdout' | 'stderr', data: Buffer): void;
  take(stream: 'stdout' | 'stderr'): Buffer;
}

/** @param most bytes of stdout and stderr together */
export function collectedOutput(most = MOST_OUTPUT): CollectedOutput {
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  let bytes = 0;
  return {
    add(stream, data) {
      bytes += data.length;
      if (bytes > most) {
        throw new KhError('REMOTE_COMMAND_FAILED', {
          message: `the command printed more than ${humanBytes(most)}; it was stopped`,
          details: { limitBytes: most },
        });
      }
      chunks[stream].push(data);
    },
    take: (stream) => Buffer.concat(chunks[stream]),
  };
}
