import * as Flags from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';
import type { LabSettings } from '../../app/lab/lab-file';
import { labServers } from '../../app/lab/lab-servers';
import type { RunOptions } from '../../app/over-devices';
import { TIME_LIMITS } from '../../core/limits';
import { durationFlag } from './duration-flag';

const HELP = 'DEVICE';

/** The adb servers to ask, each as adb itself takes it. */
export const serverFlags = {
  lab: Flags.string({
    summary: 'The lab file; none goes without one.',
    description:
      'Servers, devices, manifest and limits of a lab: see docs/lab.md. Without it: the nearest kh.lab.json in the working folder or above it, then lab.json in the configuration folder.',
    env: 'KH_LAB',
    helpValue: 'FILE',
    helpGroup: HELP,
  }),
  'adb-host': Flags.string({
    char: 'H',
    summary: 'Host of the adb server, or host:port; may be repeated.',
    description:
      "Without it and --adb-port: ADB_SERVER_SOCKET, ANDROID_ADB_SERVER_ADDRESS and ANDROID_ADB_SERVER_PORT, then the lab file's servers, then localhost:5037.",
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'HOST',
    helpGroup: HELP,
  }),
  'adb-port': Flags.integer({
    char: 'P',
    summary: 'Port of the adb server; may be repeated.',
    description:
      'One for every -H, or one for each of them in order; several with one -H, or without any, are several servers there.',
    multiple: true,
    multipleNonGreedy: true,
    min: 1,
    max: 65_535,
    helpValue: 'PORT',
    helpGroup: HELP,
  }),
};

/** Which devices, through which adb servers, how long and how many at a time. */
export const deviceFlags = {
  serial: Flags.string({
    char: 's',
    summary: 'Device to work on; may be repeated.',
    description:
      'What `adb -s` takes: a serial, host:port, usb:PORT, or product:NAME, model:NAME, device:NAME; with SERVER/ in front, at that server. Where neither this nor --all is given, ANDROID_SERIAL counts.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'SERIAL',
    helpGroup: HELP,
  }),
  all: Flags.boolean({ summary: 'Work on every attached device.', exclusive: ['serial'], helpGroup: HELP }),
  exclude: Flags.string({
    summary: 'Device to leave out; may be repeated.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'SERIAL',
    helpGroup: HELP,
  }),
  ...serverFlags,
  timeout: durationFlag({
    summary: '[default: 10m] Time for each device, all in all: 90, 90s, 5m.',
    env: 'KH_TIMEOUT',
    helpGroup: HELP,
  }),
  jobs: Flags.integer({
    char: 'j',
    summary: 'Devices to work on at a time, over all servers.',
    env: 'KH_JOBS',
    min: 1,
    max: 1_000,
    default: 8,
    helpValue: 'N',
    helpGroup: HELP,
  }),
};

export type DeviceFlags = Omit<InferredFlags<typeof deviceFlags>, 'json'>;

/** What the device flags, adb's environment and the lab file ask for. @throws KhError USAGE, as `labServers` */
export function runOptions(flags: DeviceFlags, env: NodeJS.ProcessEnv, lab?: LabSettings): RunOptions {
  const serials = flags.serial ?? (flags.all ? [] : serialOf(env));
  return {
    selection: {
      serials,
      all: flags.all,
      exclude: [...(flags.exclude ?? []), ...((serials.length === 0 && lab?.exclude) || [])],
      ...(lab?.devices === undefined ? {} : { only: lab.devices }),
    },
    servers: serversOf(flags, env, lab).servers,
    jobs: flags.jobs,
    env,
    times: {
      ...TIME_LIMITS,
      ...lab?.times,
      ...(flags.timeout === undefined ? {} : { device: flags.timeout }),
    },
  };
}

/** The adb servers of a run. Throws as `labServers`. */
export function serversOf(
  flags: Pick<DeviceFlags, 'adb-host' | 'adb-port'>,
  env: NodeJS.ProcessEnv,
  lab?: LabSettings,
): ReturnType<typeof labServers> {
  return labServers({
    hosts: flags['adb-host'] ?? [],
    ports: flags['adb-port'] ?? [],
    env,
    entries: lab?.servers,
  });
}

/** The device that adb's environment names, if any. */
export function serialOf(env: NodeJS.ProcessEnv): string[] {
  const serial = env['ANDROID_SERIAL'];
  return serial === undefined || serial === '' ? [] : [serial];
}
