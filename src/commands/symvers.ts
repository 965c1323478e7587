import * as Flags from '@oclif/core/flags';
import { deviceFlags } from '../cli/flags/device-flags';
import { kernelFlags, kernelSelection } from '../cli/flags/kernel-flags';
import { pullFlags, pullOptions } from '../cli/flags/pull-flags';
import { symversFlags, symversOptions } from '../cli/flags/symvers-flags';
import { reportFlag } from '../cli/flags/report-flag';
import type { Documents } from '../cli/documents';
import { KhCommand } from '../cli/kh-command';
import { prose } from '../cli/prose';
import { devicePaths } from '../cli/text/pulled';

export default class Symvers extends KhCommand {
  static override summary = "Recover a kernel's exported symbols and their CRCs, as a Module.symvers.";
  static override description = prose`Takes them from the file that --symvers names, from the kernel in the boot partition (which
takes root) or in the file that --boot-image names, and from the modules on the device. The sources
are checked against each other; one that disagrees with a better one is left out, and named.

Prints the path of the Module.symvers, which is kept beside the workspace: the device is read once
for each kernel. --json says where the symbols came from.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --boot-image boot.img -s 0A041FDD4003DM',
    "<%= config.bin %> <%= command.id %> --json | jq '.devices[].result.sources'",
  ];
  static override flags = {
    ...deviceFlags,
    ...reportFlag,
    ...kernelFlags,
    ...pullFlags,
    ...symversFlags,
    force: Flags.boolean({ summary: 'Read the device again, whatever was kept.' }),
  };
  static override progress = true;

  async run(): Promise<Documents['symvers']> {
    const { flags } = await this.parse(Symvers);
    const { symversOfDevice, symversOfKernel } = await import('../app/symvers');
    const options = { pull: pullOptions(flags), symvers: symversOptions(flags, flags.force) };
    const selection = kernelSelection(flags);
    if (selection !== undefined) {
      const result = await symversOfKernel(selection, options, await this.openHome(flags));
      return this.doneHere(selection, result, `${result.path}\n`);
    }
    const outcomes = await this.overDevices(flags, symversOfDevice(options));
    return this.doneOver(
      outcomes,
      devicePaths(outcomes, flags, ({ path }) => path),
    );
  }
}
