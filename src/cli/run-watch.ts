import type { WatchOptions } from '../app/watch/watch-devices';
import type { WatchEvent } from '../app/watch/watch-events';
import type { WatchResult } from '../app/watch/outcomes';
import { diskError } from '../core/disk-error';
import { asKhError, errorReport } from '../core/errors';
import { palette, wantsColour } from '../ui/colour';
import { boundedStream } from './bounded-stream';
import { sumUp } from './envelope';
import { watchOutput } from './watch-output';

export interface RunWatchOptions extends WatchOptions {
  /** Ends the watch: well, or with `once` as interrupted. */
  signal: AbortSignal;
  json: boolean;
  /** Say nothing on stderr. */
  quiet: boolean;
}

const UNREAD = new Error('nobody reads stdout any more');

type Ended = Extract<WatchEvent, { type: 'watch.ended' }>;

/**
 * Runs a watch with this process's stdout and stderr, to its end. Where the
 * reader of stdout goes, there is nothing left to watch for: that is a good end.
 *
 * @returns the exit code
 * @throws KhError as `watchDevices`, except with `json`, where the last line tells it
 */
export async function runWatch({ signal, json, quiet, ...options }: RunWatchOptions): Promise<number> {
  const { watchDevices } = await import('../app/watch/watch-devices');
  const ending = new AbortController();
  const out = boundedStream(process.stdout, {
    onGone: () => ending.abort(UNREAD),
    onError: (error) => ending.abort(diskError(error, 'stdout')),
  });
  const err = boundedStream(process.stderr, { onGone: () => undefined, onError: () => undefined });
  const colours = palette(!json && wantsColour(process.stdout, process.env));
  const output = watchOutput({ out, err, json, quiet, colours, now: () => new Date() });
  const onAbort = () => ending.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const watching = watchDevices(options, { ...output, signal: ending.signal });
  const { ended, thrown } = await endOf(watching, () => reasonOf(ending.signal, signal));
  signal.removeEventListener('abort', onAbort);
  output.tell(ended);
  const isRead = await Promise.all([out.close(), err.close()]);
  // Else Node would wait for whoever has stopped reading.
  if (isRead.includes(false)) process.exit(ended.exitCode);
  if (thrown instanceof Error && !json) throw thrown;
  return ended.exitCode;
}

/** What a good end was for: undefined, or why stdout could not be written. */
function reasonOf(ending: AbortSignal, signal: AbortSignal): unknown {
  return signal.aborted ? undefined : (ending.reason as unknown);
}

/** How a watch ends, and what it threw. */
async function endOf(
  watching: Promise<WatchResult>,
  reason: () => unknown,
): Promise<{ ended: Ended; thrown?: unknown }> {
  try {
    const result = await watching;
    const broken = reason();
    if (broken instanceof Error && broken !== UNREAD) throw broken;
    return { ended: { type: 'watch.ended', ...sumUp(result.devices, result.missed) } };
  } catch (thrown) {
    if (reason() === UNREAD) return { ended: { type: 'watch.ended', status: 'ok', exitCode: 0 } };
    const error = asKhError(thrown);
    const { exitCode } = error;
    return { ended: { type: 'watch.ended', status: 'failed', exitCode, error: errorReport(error) }, thrown };
  }
}
