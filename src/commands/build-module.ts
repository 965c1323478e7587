import * as Args from '@oclif/core/args';
import { buildFlags, buildOptions } from '../cli/flags/build-flags';
import { deviceFlags } from '../cli/flags/device-flags';
import { kernelFlags, kernelSelection } from '../cli/flags/kernel-flags';
import { reportFlag } from '../cli/flags/report-flag';
import type { Documents } from '../cli/documents';
import { KhCommand } from '../cli/kh-command';
import { prose } from '../cli/prose';
import { builtPaths, modulePaths } from '../cli/text/built';

export default class BuildModule extends KhCommand {
  static override summary = 'Build a kernel module that loads on the kernel a device runs.';
  static override description = prose`Pulls the kernel's headers where they are not here yet, recovers the CRCs of its exported symbols,
finds a compiler that fits, and builds the folder's modules with the Makefile or Kbuild they have.
Each is then checked as the kernel's loader would. Nothing is written into the folder, unless --compile-commands asks for it.

Words behind the folder go to make, as in V=1 or CONFIG_MY_OPTION=y. Prints the path of each
module. With --all, devices that run the same kernel share one build.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./mymod',
    '<%= config.bin %> <%= command.id %> ./mymod --load -s 0A041FDD4003DM',
    '<%= config.bin %> <%= command.id %> ./mymod V=1 -o out',
    '<%= config.bin %> <%= command.id %> ./mymod --kernel-source ~/src/linux-6.1',
  ];
  static override args = {
    source: Args.string({ name: 'DIR', description: "The module's folder.", required: true }),
    words: Args.string({ name: 'WORD', description: 'Words for make.', multiple: true }),
  };
  static override flags = {
    ...deviceFlags,
    ...reportFlag,
    ...kernelFlags,
    ...buildFlags,
  };
  static override progress = true;

  async run(): Promise<Documents['build-module']> {
    const { args, flags } = await this.parse(BuildModule);
    const selection = kernelSelection(flags, flags.load);
    const options = buildOptions(args, flags);
    if (selection !== undefined && !flags.load) {
      const { buildForKernel } = await import('../app/build-for-kernel');
      const result = await buildForKernel(selection, options, await this.openHome(flags));
      return this.doneHere(selection, result, modulePaths(result));
    }
    const { buildAndLoad } = await import('../app/build-and-load');
    const outcomes = await this.overDevices(
      flags,
      buildAndLoad({ ...options, ...(selection && { selection }) }),
    );
    return this.doneOver(outcomes, builtPaths(outcomes, flags));
  }
}
