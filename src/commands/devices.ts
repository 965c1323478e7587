import type { Documents } from '../cli/documents';
import { deviceFlags, runOptions, serverFlags } from '../cli/flags/device-flags';
import { KhCommand } from '../cli/kh-command';
import { prose } from '../cli/prose';
import { devicesTable } from '../cli/text/devices';

const { serial, exclude, jobs } = deviceFlags;

export default class Devices extends KhCommand {
  static override summary = 'Show what is attached: its kernel, its headers, and what is already here.';
  static override description = prose`Looks at every attached device, or at those that -s names, and changes nothing on any.

HEADERS tells where the headers archive is: built in, in a module (loaded or not), absent, or
denied to the shell user, where root may still reach it. WORKSPACE is current when the headers
of the running kernel are here, and stale when they are of another build with the same release.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> -s model:Pixel_8',
    '<%= config.bin %> <%= command.id %> --json | jq -r \'.devices[] | select(.state == "device").serial\'',
  ];
  static override flags = { serial, exclude, jobs, ...serverFlags };

  async run(): Promise<Documents['devices']> {
    const { flags } = await this.parse(Devices);
    const { describeDevices } = await import('../app/describe-devices');
    const work = await this.work(flags);
    // `adb devices` knows no ANDROID_SERIAL either.
    const options = runOptions(
      { ...flags, all: flags.serial === undefined, timeout: undefined },
      process.env,
      this.lab,
    );
    const devices = this.met(await describeDevices(options, work));
    if (devices.length === 0) work.emit({ type: 'warning', message: NOTHING });
    return this.doneLooking(devices, devicesTable(devices, this.colours));
  }
}

const NOTHING =
  'no device is attached. Is USB debugging on, and the cable in? Over a network: `adb connect HOST`.';
