import { deviceFlags } from '../cli/flags/device-flags';
import { pullFlags, pullOptions } from '../cli/flags/pull-flags';
import { reportFlag } from '../cli/flags/report-flag';
import type { Documents } from '../cli/documents';
import { KhCommand } from '../cli/kh-command';
import { devicePaths } from '../cli/text/pulled';
import { prose } from '../cli/prose';

export default class Pull extends KhCommand {
  static override summary = 'Pull, verify and extract the kernel headers of a device.';
  static override description = prose`Finds the archive that the running kernel carries (loading kheaders.ko where it has to, and
unloading it again), pulls it, checks it against the device and the manifest, and extracts it
into a workspace for that device and that kernel. Headers that are here already are not
transferred again.

Prints the path of the workspace; with --all or several -s, one line a device: the serial, a
tab, and the path. The headers are in its folder \`headers\`.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> -s 0A041FDD4003DM --manifest lab.json --require-manifest',
    '<%= config.bin %> <%= command.id %> --all --exclude emulator-5554 --json',
    'ls "$(<%= config.bin %> <%= command.id %> --quiet)/headers/include"',
  ];
  static override flags = { ...deviceFlags, ...reportFlag, ...pullFlags };
  static override progress = true;

  async run(): Promise<Documents['pull']> {
    const { flags } = await this.parse(Pull);
    const { pullHeaders } = await import('../app/pull-headers');
    const options = pullOptions(flags);
    const outcomes = await this.overDevices(flags, (device, context) =>
      pullHeaders(device, options, context),
    );
    return this.doneOver(
      outcomes,
      devicePaths(outcomes, flags, ({ workspace }) => workspace),
    );
  }
}
