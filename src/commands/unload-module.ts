import * as Args from '@oclif/core/args';
import { deviceFlags } from '../cli/flags/device-flags';
import { privilegeFlag } from '../cli/flags/pull-flags';
import { reportFlag } from '../cli/flags/report-flag';
import type { Documents } from '../cli/documents';
import { KhCommand } from '../cli/kh-command';
import { moduleReport } from '../cli/text/module-load';
import { prose } from '../cli/prose';

export default class UnloadModule extends KhCommand {
  static override summary = 'Unload a kernel module, and show what the kernel says.';
  static override description = prose`
Where the kernel keeps it, the error says who uses it. Unloading takes root, as loading does.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> hello',
    '<%= config.bin %> <%= command.id %> out/hello.ko -s 0A041FDD4003DM',
  ];
  static override args = {
    name: Args.string({
      name: 'NAME',
      description: 'The module, by the name that lsmod shows or by its file.',
      required: true,
    }),
  };
  static override flags = {
    ...deviceFlags,
    ...reportFlag,
    privilege: privilegeFlag('How far to go for root.'),
  };
  static override progress = true;

  async run(): Promise<Documents['unload-module']> {
    const { args, flags } = await this.parse(UnloadModule);
    const { parseModuleName, unloadModule } = await import('../app/unload-module');
    const module = parseModuleName(args.name);
    const { privilege } = flags;
    const outcomes = await this.overDevices(flags, (device, context) =>
      unloadModule(device, module, { privilege }, context),
    );
    return this.doneOver(outcomes, moduleReport(outcomes, 'unloaded', this.colours));
  }
}
