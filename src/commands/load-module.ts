import * as Args from '@oclif/core/args';
import { deviceFlags } from '../cli/flags/device-flags';
import { privilegeFlag } from '../cli/flags/pull-flags';
import { reportFlag } from '../cli/flags/report-flag';
import type { Documents } from '../cli/documents';
import { KhCommand } from '../cli/kh-command';
import { moduleReport } from '../cli/text/module-load';
import { prose } from '../cli/prose';

export default class LoadModule extends KhCommand {
  static override summary = 'Load a kernel module from this machine, and show what the kernel says.';
  static override description = prose`Puts the .ko on the device, has the kernel load it, removes the file again, and prints what the
kernel logged meanwhile, with an explanation of the messages that kh knows. Where the kernel
refuses it, the reason and what to do about it are in the error.

Loading takes root: \`adb root\` on userdebug builds, su on rooted phones. The module stays loaded
until \`kh unload-module\` or a restart.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> hello.ko',
    '<%= config.bin %> <%= command.id %> hello.ko count=3 greeting="good morning" -s 0A041FDD4003DM',
    "<%= config.bin %> <%= command.id %> hello.ko --all --json | jq -r '.devices[].result.log[].text'",
  ];
  static override args = {
    ko: Args.string({ name: 'KO', description: 'The module: a .ko file.', required: true }),
    parameters: Args.string({
      name: 'PARAM=VALUE',
      description: 'Parameters of the module, as `modinfo -p` lists them.',
      multiple: true,
    }),
  };
  static override flags = {
    ...deviceFlags,
    ...reportFlag,
    privilege: privilegeFlag('How far to go for root.'),
  };
  static override progress = true;

  async run(): Promise<Documents['load-module']> {
    const { args, flags } = await this.parse(LoadModule);
    const { loadModule } = await import('../app/load-module');
    const { readModuleFile } = await import('../app/module-file');
    const ko = await readModuleFile(args.ko);
    const { parameters = [] } = args;
    const { privilege } = flags;
    const outcomes = await this.overDevices(flags, (device, context) =>
      loadModule(device, ko, { parameters, privilege }, context),
    );
    return this.doneOver(outcomes, moduleReport(outcomes, 'loaded', this.colours));
  }
}
