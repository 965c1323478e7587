import { CLIError } from '@oclif/core/errors';
import * as Flags from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';
import type { RunOptions } from '../../app/over-devices';
import { TIME_LIMITS } from '../../core/limits';
import { parseDuration } from '../duration';

const HELP = 'DEVICE';

/** The adb server to ask, as adb itself takes it. */
export const serverFlags = {
  'adb-host': Flags.string({
    char: 'H',
    summary: 'Host of the adb server.',
    description:
      'Without it and --adb-port: ADB_SERVER_SOCKET, ANDROID_ADB_SERVER_ADDRESS and ANDROID_ADB_SERVER_PORT, then localhost:5037.',
    helpValue: 'HOST',
    helpGroup: HELP,
  }),
  'adb-port': Flags.integer({
    char: 'P',
    summary: 'Port of the adb server.',
    min: 1,
    max: 65_535,
    helpValue: 'PORT',
    helpGroup: HELP,
  }),
};

/** Which devices, through which adb server, how long and how many at a time. */
export const deviceFlags = {
  serial: Flags.string({
    char: 's',
    summary: 'Device to work on; may be repeated.',
    description:
      'What `adb -s` takes: a serial, host:port, usb:PORT, or product:NAME, model:NAME, device:NAME. Where neither this nor --all is given, ANDROID_SERIAL counts.',
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
  timeout: Flags.custom<number>({
    summary: '[default: 10m] Time for each device, all in all: 90, 90s, 5m.',
    parse: (input) => {
      const milliseconds = parseDuration(input);
      if (milliseconds !== undefined) return Promise.resolve(milliseconds);
      throw new CLIError(`${input} is no length of time: give seconds, or 500ms, 90s, 5m, 1h`);
    },
    helpValue: 'TIME',
    helpGroup: HELP,
  })(),
  jobs: Flags.integer({
    char: 'j',
    summary: 'Devices to work on at a time.',
    min: 1,
    max: 1_000,
    default: 8,
    helpValue: 'N',
    helpGroup: HELP,
  }),
};

export type DeviceFlags = Omit<InferredFlags<typeof deviceFlags>, 'json'>;

/** What the device flags and adb's environment ask for. */
export function runOptions(flags: DeviceFlags, env: NodeJS.ProcessEnv): RunOptions {
  return {
    selection: {
      serials: flags.serial ?? (flags.all ? [] : serialOf(env)),
      all: flags.all,
      exclude: flags.exclude ?? [],
    },
    server: serverOf(flags),
    jobs: flags.jobs,
    env,
    times: { ...TIME_LIMITS, ...(flags.timeout === undefined ? {} : { device: flags.timeout }) },
  };
}

/** The flags' part of the adb server's address. */
export function serverOf(flags: {
  'adb-host'?: string | undefined;
  'adb-port'?: number | undefined;
}): RunOptions['server'] {
  const { 'adb-host': host, 'adb-port': port } = flags;
  return { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) };
}

/** The device that adb's environment names, if any. */
export function serialOf(env: NodeJS.ProcessEnv): string[] {
  const serial = env['ANDROID_SERIAL'];
  return serial === undefined || serial === '' ? [] : [serial];
}
