import { EXIT_CODES, KhError } from '../../core/errors';
import { homeFolder, storeAt } from '../../store/layout';
import type { ServerReport } from '../lab/reach-lab';
import type { RunBase, RunOptions } from '../over-devices';
import { selectDevices } from '../select-devices';
import { lookAtServers, type SeenServers } from './adb-servers';
import { lookForCompilers } from './compilers';
import { lookAtDevices, type DoctorDevice } from './devices';
import { findings, type DoctorFinding } from './finding';
import type { ManifestOptions } from '../open-manifest';
import { lookAtManifest } from './manifest-health';
import { lookAtStore } from './store-health';
import { lookAtMachine } from './this-machine';

/** All that `kh doctor` found. */
export interface Diagnosis {
  findings: DoctorFinding[];
  devices: DoctorDevice[];
  servers: ServerReport[];
}

export type DoctorOptions = RunOptions & ManifestOptions;

/**
 * Looks at everything that a pull and a build take: this machine, the adb
 * servers, each device, the store, the manifest. Changes nothing: no server is
 * started, no module loaded, nobody asked for root, no store made.
 *
 * @throws KhError USAGE, DEVICE_NOT_FOUND for a device that was asked for; or the signal's reason
 */
export async function diagnose(options: DoctorOptions, { signal }: RunBase): Promise<Diagnosis> {
  const { env, times } = options;
  const store = storeAt({ home: homeFolder(env, process.platform), signal });
  const [machine, stored, adb] = await Promise.all([
    lookAtMachine(env, signal),
    lookAtStore(store),
    lookAtServers(options.servers, { signal, timeout: times.connect }),
  ]);
  const devices = await lookAtDevices(chosen(adb, options), { signal, times });
  const [compilers, manifest] = await Promise.all([
    lookForCompilers(devices, stored.workspaces, env, signal),
    lookAtManifest(options, devices),
  ]);
  signal.throwIfAborted();
  return {
    findings: [
      ...machine,
      ...adb.findings,
      ...(devices.length === 0 && adb.lab !== undefined ? [NO_DEVICE] : []),
      ...devices.flatMap((device) => device.findings),
      ...compilers,
      ...stored.findings,
      ...manifest,
    ],
    devices: devices.map(({ device }) => device),
    servers: adb.lab?.servers ?? [],
  };
}

/** The exit code of the worst that was found: of the errors, the lowest one, as of devices that all fail. */
export function exitCodeOf({ findings }: Diagnosis): number {
  const codes = findings.flatMap(({ code }) => (code === undefined ? [] : [EXIT_CODES[code]]));
  return codes.length === 0 ? 0 : Math.min(...codes);
}

const NO_DEVICE = findings('device', 'none').error(
  'DEVICE_NONE',
  'no device is attached',
  'turn USB debugging on and plug the cable in; over a network: adb connect HOST',
);

function chosen({ lab }: SeenServers, { selection }: DoctorOptions) {
  if (lab === undefined) return [];
  if (lab.devices.length === 0 && selection.serials.length === 0) return [];
  try {
    return selectDevices(lab, { ...selection, all: selection.serials.length === 0 });
  } catch (error) {
    if (error instanceof KhError && error.code === 'DEVICE_NONE') return [];
    throw error;
  }
}
