import { KhError } from './errors';

/**
 * Runs `work` under a signal of its own that fires when `signal` does or when
 * `milliseconds` have passed, whichever is first. It ends when `work` ends:
 * what `work` has to clean up after an abort is waited for.
 *
 * The signal's reason on time-out is a KhError TIMEOUT with `what` in its message.
 */
export async function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { signal, milliseconds, what }: { signal: AbortSignal; milliseconds: number; what: string },
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => controller.abort(timeoutError(what, milliseconds)), milliseconds);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * Runs `work` under a signal that fires `milliseconds` later than `signal`
 * does: for what must not be cut off, as nobody would know what came of it.
 */
export async function withGrace<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { signal, milliseconds }: { signal: AbortSignal; milliseconds: number },
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(() => controller.abort(signal.reason), milliseconds);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * Settles as `promise` does, or rejects with the signal's reason as soon as
 * it fires. The work behind `promise` is not stopped by this: whoever started
 * it must have handed it the same signal.
 */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Waits, and rejects at once with the signal's reason when it fires. */
export function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** The error of a deadline that passed. `what` completes "timed out after 5 s …". */
export function timeoutError(what: string, milliseconds: number): KhError {
  return new KhError('TIMEOUT', { message: `timed out after ${milliseconds / 1000} s ${what}` });
}
