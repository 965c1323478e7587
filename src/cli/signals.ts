import { setMaxListeners } from 'node:events';
import { KhError } from '../core/errors';

const REASONS = {
  SIGINT: () => new KhError('INTERRUPTED', { message: 'interrupted' }),
  SIGTERM: () => new KhError('TERMINATED', { message: 'terminated' }),
  SIGHUP: () => new KhError('TERMINATED', { message: 'the terminal has gone' }),
} as const;

type Caught = keyof typeof REASONS;

export interface Interruption {
  /** Aborts with an INTERRUPTED or TERMINATED KhError. */
  signal: AbortSignal;
  /** Hands the signals back to Node. */
  dispose: () => void;
}

export interface InterruptionOptions {
  /** What cleaning up may take after the first signal, in milliseconds. */
  grace: number;
  /** Cleaning up takes long enough that someone may wonder. */
  onSlow: () => void;
  /** Ends the process at once: a second signal came, or the grace is over. */
  giveUp: (reason: KhError) => void;
}

const SLOW_AFTER = 1_000;

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP into an abort, so that work can
 * undo what it did; a second one, or the end of the grace, ends the process.
 */
export function watchSignals({ grace, onSlow, giveUp }: InterruptionOptions): Interruption {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // one for each connection, and there may be hundreds
  const timers: NodeJS.Timeout[] = [];
  const listeners = (Object.keys(REASONS) as Caught[]).map((name) => {
    const listener = () => {
      const reason = REASONS[name]();
      if (controller.signal.aborted) {
        giveUp(reason);
        return;
      }
      controller.abort(reason);
      timers.push(
        setTimeout(onSlow, SLOW_AFTER),
        setTimeout(() => giveUp(reason), grace),
      );
    };
    process.on(name, listener);
    return { name, listener };
  });
  const dispose = () => {
    for (const { name, listener } of listeners) process.off(name, listener);
    timers.forEach(clearTimeout);
  };
  return { signal: controller.signal, dispose };
}
