import { awaitReady } from '../adb/await-ready';
import type { AdbServer } from '../adb/adb-server';
import { connectServer } from '../adb/connect-server';
import type { ListedDevice } from '../adb/device-list';
import { resolveServerAddress } from '../adb/server-address';
import { withDeadline } from '../core/abort';
import { asKhError, errorReport, KhError } from '../core/errors';
import type { Emit } from '../core/events';
import { ARCHIVE_LIMITS, type TimeLimits } from '../core/limits';
import type { DeviceOutcome } from '../core/outcome';
import { bounds } from '../device/bounds';
import { reopenAsRoot } from './reopen-as-root';
import { concurrently } from './concurrently';
import { openHome } from './open-home';
import type { AttachedDevice, Context } from './context';
import { selectEach, type DeviceSelection } from './select-devices';

export interface RunOptions {
  selection: DeviceSelection;
  /** What the flags said of the adb server; the environment fills the rest. */
  server: { host?: string; port?: number };
  /** How many devices at a time. */
  jobs: number;
  env: NodeJS.ProcessEnv;
  times: TimeLimits;
}

export interface RunBase {
  signal: AbortSignal;
  emit: Emit;
}

/**
 * Does `work` on each selected device, several at a time. A failure on one is
 * its outcome and does not stop the others; only an abort stops all.
 *
 * @returns one outcome a device, in the order asked
 * @throws KhError for what fails before any device is met: USAGE, DEVICE_NONE, DEVICE_NOT_FOUND and
 *   DEVICE_AMBIGUOUS where that is true of all, ADB_UNAVAILABLE, ADB_MISSING, STORE_*; or the signal's reason
 */
export async function overDevices<T>(
  options: RunOptions,
  base: RunBase,
  work: (device: AttachedDevice, context: Context) => Promise<T>,
): Promise<DeviceOutcome<T>[]> {
  const server = await reachServer(options, base);
  const attached = await server.listDevices({ signal: base.signal, timeout: options.times.connect });
  const chosen = selectEach(attached, options.selection);
  const store = await openHome(options.env, base.signal);
  const context = { ...base, times: options.times, store, limits: ARCHIVE_LIMITS };
  const outcomes = await concurrently(chosen, options.jobs, (one) =>
    one instanceof KhError ? missing<T>(one, base) : onDevice(server, one, context, work),
  );
  base.signal.throwIfAborted();
  return outcomes;
}

/** The outcome of a device that was asked for and is not there. */
function missing<T>(absent: KhError, { emit }: RunBase): Promise<DeviceOutcome<T>> {
  const { serial = '' } = absent;
  const error = errorReport(absent);
  emit({ type: 'device.failed', serial, error });
  return Promise.resolve({ serial, status: 'failed', milliseconds: 0, error });
}

/** Connects to the adb server that flags and environment name. */
export async function reachServer(options: RunOptions, { signal }: RunBase): Promise<AdbServer> {
  const address = resolveServerAddress(options.server, options.env);
  return connectServer(address, { signal, connectTimeout: options.times.connect });
}

async function onDevice<T>(
  server: AdbServer,
  listed: ListedDevice,
  context: Context,
  work: (device: AttachedDevice, context: Context) => Promise<T>,
): Promise<DeviceOutcome<T>> {
  const { serial } = listed;
  const start = performance.now();
  const elapsed = () => Math.round(performance.now() - start);
  try {
    const result = await withDeadline(
      async (signal) => {
        // A wait for another process ends with the time of the device, too.
        const bounded = { ...context, signal, store: { ...context.store, signal } };
        return withNewRoot(server, listed, bounded, work);
      },
      { signal: context.signal, milliseconds: context.times.device, what: 'on this device (--timeout)' },
    );
    return { serial, status: 'ok', milliseconds: elapsed(), result };
  } catch (thrown) {
    const error = errorReport(asKhError(thrown, serial));
    if (!context.signal.aborted) context.emit({ type: 'device.failed', serial, error });
    return { serial, status: 'failed', milliseconds: elapsed(), error };
  }
}

/** Begins again, once, where someone else made adbd restart as root meanwhile. */
async function withNewRoot<T>(
  server: AdbServer,
  listed: ListedDevice,
  context: Context,
  work: (device: AttachedDevice, context: Context) => Promise<T>,
): Promise<T> {
  try {
    return await work(await openDevice(server, listed, context), context);
  } catch (lost) {
    const again = await reopenAsRoot(server, listed, lost, context);
    if (again === undefined) throw lost;
    return work(again, context);
  }
}

async function openDevice(
  server: AdbServer,
  listed: ListedDevice,
  context: Context,
): Promise<AttachedDevice> {
  const { signal, emit, times } = context;
  const { serial } = listed;
  const ready = await awaitReady(server, listed, {
    signal,
    timeout: times.settle,
    onState: (state) => emit({ type: 'device.waiting', serial, state }),
  });
  const adb = await server.open(ready, bounds({ signal, emit, times }, 'opening the device'));
  emit({ type: 'device.selected', serial, model: ready.model });
  return { server, listed: ready, adb };
}
