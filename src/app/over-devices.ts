import { awaitReady } from '../adb/await-ready';
import { withDeadline } from '../core/abort';
import { asKhError, errorReport, KhError, type ErrorReport } from '../core/errors';
import type { Emit } from '../core/events';
import { ARCHIVE_LIMITS, type TimeLimits } from '../core/limits';
import type { DeviceOutcome } from '../core/outcome';
import { bounds } from '../device/bounds';
import { reopenAsRoot } from './reopen-as-root';
import { openHome } from './open-home';
import type { AttachedDevice, Context } from './context';
import { fairShare } from './lab/fair-share';
import type { LabServer } from './lab/lab-servers';
import { reachLab, type Lab, type LabDevice, type ServerReport } from './lab/reach-lab';
import { selectEach, type DeviceSelection } from './select-devices';

export interface RunOptions {
  selection: DeviceSelection;
  /** The adb servers of the lab. */
  servers: LabServer[];
  /** How many devices at a time, over all servers. */
  jobs: number;
  env: NodeJS.ProcessEnv;
  times: TimeLimits;
}

export interface RunBase {
  signal: AbortSignal;
  emit: Emit;
}

/** What came of a run over a lab, with one entry a device. */
export interface LabRun<Entry> {
  devices: Entry[];
  servers: ServerReport[];
  /** The servers whose devices the run should have met, and did not. */
  missed: ErrorReport[];
}

/**
 * Does `work` on each selected device, several at a time. A failure on one is
 * its outcome and does not stop the others; only an abort stops all.
 *
 * @returns one outcome a device, in the order asked
 * @throws KhError for what fails before any device is met: USAGE, DEVICE_NONE, DEVICE_NOT_FOUND and
 *   DEVICE_AMBIGUOUS where that is true of all, ADB_UNAVAILABLE and ADB_MISSING where no server is
 *   reached, STORE_*; or the signal's reason
 */
export async function overDevices<T>(
  options: RunOptions,
  base: RunBase,
  work: (device: AttachedDevice, context: Context) => Promise<T>,
): Promise<LabRun<DeviceOutcome<T>>> {
  const lab = await findLab(options, base);
  const chosen = selectEach(lab, options.selection);
  const store = await openHome(options.env, base.signal);
  const context = { ...base, times: options.times, store, limits: ARCHIVE_LIMITS };
  const devices = await fairShare(chosen, shareOf(options), (one) =>
    one instanceof KhError ? missing<T>(one, base) : workOnDevice(one, context, work),
  );
  base.signal.throwIfAborted();
  return { devices, servers: lab.servers, missed: missedServers(lab, options) };
}

/** Asks every server of the run what is attached. Throws as `reachLab`. */
export function findLab({ servers, times }: RunOptions, { signal, emit }: RunBase): Promise<Lab> {
  return reachLab(servers, { signal, emit, timeout: times.connect });
}

/** Servers that are lost to a run which was to meet all their devices. */
export function missedServers({ lost }: Lab, { selection }: RunOptions): ErrorReport[] {
  return selection.serials.length > 0 ? [] : lost.map(({ error }) => errorReport(error));
}

/** How the devices of a run share its jobs. */
export function shareOf({ jobs }: RunOptions) {
  return {
    jobs,
    groupOf: (one: LabDevice | KhError) => (one instanceof KhError ? '' : one.server.name),
    mostOf: (one: LabDevice | KhError) => (one instanceof KhError ? undefined : one.server.jobs),
  };
}

/** The outcome of a device that was asked for and is not there. */
function missing<T>(absent: KhError, { emit }: RunBase): Promise<DeviceOutcome<T>> {
  const { serial = '' } = absent;
  const error = errorReport(absent);
  emit({ type: 'device.failed', serial, error });
  return Promise.resolve({ serial, name: serial, status: 'failed', milliseconds: 0, error });
}

/**
 * Does `work` on one device of a lab: waits for it to be ready, opens it, and
 * begins again where its adbd restarts as root meanwhile. Whatever fails is
 * the outcome; after an abort it means nothing.
 */
export async function workOnDevice<T>(
  device: LabDevice,
  { emit, ...rest }: Context,
  work: (device: AttachedDevice, context: Context) => Promise<T>,
): Promise<DeviceOutcome<T>> {
  const { serial, name } = device;
  const server = name === serial ? undefined : device.server.name;
  const context: Context = { ...rest, emit: server === undefined ? emit : tellingServer(emit, server) };
  const start = performance.now();
  const whose = { serial, server: device.server.name, name };
  const elapsed = () => Math.round(performance.now() - start);
  try {
    const result = await withDeadline(
      async (signal) => {
        // A wait for another process ends with the time of the device, too.
        const bounded = { ...context, signal, store: { ...context.store, signal } };
        return withNewRoot(device, bounded, work);
      },
      { signal: context.signal, milliseconds: context.times.device, what: 'on this device (--timeout)' },
    );
    return { ...whose, status: 'ok', milliseconds: elapsed(), result };
  } catch (thrown) {
    const failure = asKhError(thrown, serial);
    const error = errorReport(server === undefined ? failure : failure.at(server));
    if (!context.signal.aborted) context.emit({ type: 'device.failed', serial, error });
    return { ...whose, status: 'failed', milliseconds: elapsed(), error };
  }
}

/** Events of a device, with the server that it is attached to. */
function tellingServer(emit: Emit, server: string): Emit {
  return (event) => emit('serial' in event ? { ...event, server } : event);
}

/** Begins again, once, where someone else made adbd restart as root meanwhile. */
async function withNewRoot<T>(
  device: LabDevice,
  context: Context,
  work: (device: AttachedDevice, context: Context) => Promise<T>,
): Promise<T> {
  try {
    return await work(await openDevice(device, context), context);
  } catch (lost) {
    const again = await reopenAsRoot(device.server.adb, device, lost, context);
    if (again === undefined) throw lost;
    return work(again, context);
  }
}

async function openDevice(device: LabDevice, context: Context): Promise<AttachedDevice> {
  const { signal, emit, times } = context;
  const { serial } = device;
  const server = device.server.adb;
  const ready = await awaitReady(server, device, {
    signal,
    timeout: times.settle,
    onState: (state) => emit({ type: 'device.waiting', serial, state }),
  });
  const adb = await server.open(ready, bounds({ signal, emit, times }, 'opening the device'));
  emit({ type: 'device.selected', serial, model: ready.model });
  return { server, listed: ready, adb };
}
