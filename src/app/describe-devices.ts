import { withDeadline } from '../core/abort';
import { asKhError, errorReport, type ErrorReport } from '../core/errors';
import { headersStatus, type HeadersStatus } from '../device/headers-status';
import { probeDevice, type DeviceProbe } from '../device/probe';
import { readProperties } from '../device/properties';
import type { Store } from '../store/layout';
import { findHome } from './open-home';
import { bounds } from '../device/bounds';
import type { AttachedDevice, Context } from './context';
import { previousWorkspace } from './current-workspace';
import { knownName } from './name-device';
import { fairShare } from './lab/fair-share';
import type { LabDevice } from './lab/reach-lab';
import { findLab, missedServers, shareOf, type LabRun, type RunBase, type RunOptions } from './over-devices';
import { selectDevices } from './select-devices';

/** One attached device, as `kh devices` shows it. */
export interface DeviceDescription {
  serial: string;
  /** The name of the adb server that it is attached to. */
  server: string;
  /** The serial; `server/serial` where the lab has several servers. */
  name: string;
  state: string;
  note?: string;
  devpath?: string;
  transportId?: string;
  model?: string;
  product?: string;
  serialno?: string;
  android?: string;
  release?: string;
  machine?: string;
  headers?: HeadersStatus;
  workspace?: { state: 'current' | 'stale' | 'none'; path?: string };
  /** Why the rest is missing. */
  error?: ErrorReport;
}

/**
 * Looks at every attached device that the selection admits, several at a
 * time, and changes nothing on any. None attached is an empty list.
 *
 * @throws KhError USAGE, ADB_UNAVAILABLE, ADB_MISSING, DEVICE_NOT_FOUND; or the signal's reason
 */
export async function describeDevices(
  options: RunOptions,
  base: RunBase,
): Promise<LabRun<DeviceDescription>> {
  const lab = await findLab(options, base);
  const { selection } = options;
  const nothing = lab.devices.length === 0 && selection.serials.length === 0;
  const chosen = nothing ? [] : selectDevices(lab, { ...selection, all: true });
  const store = await findHome(options.env, base.signal);
  const devices = await fairShare(chosen, shareOf(options), (device) =>
    describe(device, store, options, base),
  );
  base.signal.throwIfAborted();
  return { devices, servers: lab.servers, missed: missedServers(lab, options) };
}

async function describe(
  device: LabDevice,
  store: Store,
  { times }: RunOptions,
  base: RunBase,
): Promise<DeviceDescription> {
  const { serial, name, state, note, devpath, transportId, model, product } = device;
  const server = device.server.name;
  const outside = {
    serial,
    server,
    name,
    state,
    ...definedOf({ note, devpath, transportId, model, product }),
  };
  if (state !== 'device' && state !== 'recovery') return outside;
  try {
    const inside = await withDeadline((signal) => look(device, { ...base, signal, times, store }), {
      signal: base.signal,
      milliseconds: times.stall,
      what: 'looking at this device',
    });
    return { ...outside, ...inside };
  } catch (thrown) {
    const error = asKhError(thrown, serial);
    return { ...outside, error: errorReport(name === serial ? error : error.at(server)) };
  }
}

type LookContext = Omit<Context, 'limits'>;

async function look(device: LabDevice, work: LookContext): Promise<Partial<DeviceDescription>> {
  const server = device.server.adb;
  const adb = await server.open(device, bounds(work));
  const access = { adb, privilege: 'plain', root: false } as const;
  const [probe, properties] = await Promise.all([
    probeDevice(access, bounds(work)),
    readProperties(access, bounds(work)),
  ]);
  return {
    ...definedOf({ model: properties.model, android: properties.androidVersion }),
    serialno: probe.serialno,
    release: probe.kernel.release,
    machine: probe.kernel.machine,
    headers: await headersStatus(access, probe, bounds(work)),
    workspace: await workspaceState({ server, listed: device, adb }, probe, work),
  };
}

/** `stale`: made for another build of a kernel with the same release. */
async function workspaceState(
  device: AttachedDevice,
  probe: DeviceProbe,
  work: LookContext,
): Promise<NonNullable<DeviceDescription['workspace']>> {
  const { kernel } = probe;
  const name = await knownName(device, probe, work);
  const found = name === undefined ? undefined : await previousWorkspace(work.store, name, kernel.release);
  if (found === undefined) return { state: 'none' };
  return { state: found.record.kernel.version === kernel.version ? 'current' : 'stale', path: found.path };
}

function definedOf<T extends Record<string, string | undefined>>(values: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string;
  };
}
