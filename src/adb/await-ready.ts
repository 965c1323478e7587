import { delay } from '../core/abort';
import { KhError } from '../core/errors';
import { TIME_LIMITS } from '../core/limits';
import type { AdbServer } from './adb-server';
import type { ListedDevice } from './device-list';
import { stateError } from './device-state';

export interface ReadyOptions {
  signal: AbortSignal;
  /** Milliseconds to wait for the device to settle (default `TIME_LIMITS.settle`). */
  timeout?: number;
  /** Told of each state in which the device is waited for, once. */
  onState?: (state: string) => void;
}

const POLL = 100;

/** Right after a device is plugged in, "unauthorized" may stand for a moment while keys are tried. */
const UNAUTHORIZED_PATIENCE = 2_000;

/** States that are on the way to another one. */
const SETTLING = ['offline', 'connecting', 'authorizing', 'unauthorized', 'detached'];

/** For how many of `timeout` milliseconds a device in this state may yet settle; 0 for a state that stays. */
export function settlingTime(state: string, timeout: number): number {
  if (!SETTLING.includes(state)) return 0;
  return state === 'unauthorized' ? Math.min(timeout, UNAUTHORIZED_PATIENCE) : timeout;
}

/**
 * Waits, with a bound, for a device that is settling.
 *
 * @returns the device as it is listed then, in state `device`, perhaps under another transport id
 * @throws KhError DEVICE_OFFLINE, DEVICE_UNAUTHORIZED, DEVICE_NO_PERMISSIONS, DEVICE_WRONG_STATE, DEVICE_LOST;
 *   ADB_UNAVAILABLE, ADB_PROTOCOL, TIMEOUT; or the signal's reason
 */
export async function awaitReady(
  server: AdbServer,
  listed: ListedDevice,
  { signal, timeout = TIME_LIMITS.settle, onState }: ReadyOptions,
): Promise<ListedDevice> {
  const start = performance.now();
  let seen: ListedDevice | undefined = listed;
  let last = listed;
  for (;;) {
    if (seen?.state === 'device') return seen;
    if (seen !== undefined && !SETTLING.includes(seen.state)) throw stateError(seen);
    if (seen !== undefined && (seen === listed || seen.state !== last.state)) onState?.(seen.state);
    last = seen ?? last;
    if (performance.now() - start >= settlingTime(last.state, timeout))
      throw seen === undefined ? vanished(last) : stateError(seen);
    await delay(POLL, signal);
    seen = findAgain(last, await server.listDevices({ signal }));
  }
}

/** The same device in a later list: by transport, or, after it was connected anew, by name and port. */
export function findAgain(device: ListedDevice, list: ListedDevice[]): ListedDevice | undefined {
  const { serial, devpath, transportId } = device;
  return (
    list.find((other) => transportId !== undefined && other.transportId === transportId) ??
    list.find((other) => other.serial === serial && other.devpath === devpath)
  );
}

function vanished({ serial, state }: ListedDevice): KhError {
  return new KhError('DEVICE_LOST', {
    serial,
    message: `the device was ${state}, and then went away`,
    hint: 'Is the cable in, and USB debugging on? `kh devices` shows when it is back.',
  });
}
