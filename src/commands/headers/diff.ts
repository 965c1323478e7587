import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Documents } from '../../cli/documents';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { diffText, patchText } from '../../cli/text/headers-diff';

export default class HeadersDiff extends KhCommand {
  static override summary = 'Compare the headers and the configuration of two kernels.';
  static override description = prose`
Each is a kheaders.tar.xz, a workspace (its path, DEVICE or DEVICE/RELEASE) or a kernel release
that a workspace is of; no device is asked. Prints which options of the configuration differ, and
which files were added (A), removed (D) and changed (M), with their sizes.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> old.tar.xz new.tar.xz',
    "<%= config.bin %> <%= command.id %> PIXEL8/6.1.99-a PIXEL8/6.1.145-b --patch '**/linux/sched*.h'",
    '<%= config.bin %> <%= command.id %> 6.1.99-a 6.1.145-b --json | jq .result.config',
  ];
  static override args = {
    before: Args.string({ name: 'A', description: 'The one kernel.', required: true }),
    after: Args.string({ name: 'B', description: 'The other one.', required: true }),
    globs: Args.string({
      name: 'GLOB',
      description: 'Which files, as in `kh headers list`; all when left out.',
      multiple: true,
    }),
  };
  static override flags = {
    patch: Flags.boolean({
      char: 'p',
      summary: 'Print the lines that differ, as a patch.',
      exclusive: ['stat'],
    }),
    stat: Flags.boolean({ summary: 'Count lines in place of bytes.' }),
  };

  async run(): Promise<Documents['headers diff']> {
    const { args, flags } = await this.parse(HeadersDiff);
    const { diffHeaders } = await import('../../app/headers/diff-headers');
    const options = { globs: args.globs ?? [], lines: flags.patch || flags.stat };
    const result = await diffHeaders(args, options, await this.openHome(flags));
    const terminal = process.stdout.isTTY;
    const text = flags.patch ? patchText(result, { terminal }, this.colours) : diffText(result, this.colours);
    return this.done({ result }, text);
  }
}
