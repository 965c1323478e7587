import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Documents } from '../cli/documents';
import { importFrom, importOptions } from '../cli/import-options';
import { manifestFlags } from '../cli/flags/pull-flags';
import { KhCommand } from '../cli/kh-command';
import { prose } from '../cli/prose';

export default class Import extends KhCommand {
  static override progress = true;
  static override summary =
    'Make a workspace of an archive on this machine, in an image or in a pack; no device is asked.';
  static override description = prose`
Verifies the archive as a pull does, and puts it where a pull would: a later pull from a device
with this kernel transfers nothing. Without --device the workspace goes by the name "imported".

With --from-carve the archive is taken out of a kernel image, and the kernel's configuration and
exported symbols are kept, too: \`kh build-module --kernel RELEASE\` then needs neither root nor a
device. With --from-pack the same comes from what \`kh pack --full\` wrote, or from a kernel build,
and with it the kernel's own build files: \`kh build-module --kernel-source packed\` uses them.

Prints the path of the workspace.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> kheaders.tar.xz',
    '<%= config.bin %> <%= command.id %> --from-carve boot.img --manifest lab.json --require-manifest',
    '<%= config.bin %> <%= command.id %> --from-pack ~/build/linux',
    '<%= config.bin %> <%= command.id %> kheaders.tar.xz --device 0A041FDD4003DM --symvers Module.symvers',
  ];
  static override args = { ARCHIVE: Args.string({ description: 'The archive: a kheaders.tar.xz.' }) };
  static override flags = {
    'from-carve': Flags.string({
      summary: 'Take the archive out of an image, as `kh carve` does.',
      helpValue: 'IMAGE',
    }),
    'from-pack': Flags.string({
      summary: 'Take what `kh pack` wrote to a folder; or a kernel build, which is packed for it.',
      helpValue: 'FOLDER',
    }),
    index: Flags.integer({
      summary: 'Which kernel, where the image holds several.',
      min: 1,
      helpValue: 'N',
      dependsOn: ['from-carve'],
    }),
    device: Flags.string({
      char: 's',
      aliases: ['serial'],
      summary: 'Device that the headers are for: its serial number, or any name.',
      helpValue: 'NAME',
    }),
    release: Flags.string({ summary: 'Release that the archive has to be of.', helpValue: 'RELEASE' }),
    config: Flags.string({ summary: "The kernel's .config, to be kept.", helpValue: 'FILE' }),
    symvers: Flags.string({
      summary: "Module.symvers of the kernel's build, to be kept.",
      helpValue: 'FILE',
    }),
    ...manifestFlags,
    force: Flags.boolean({ summary: 'Extract again, whatever is here already.' }),
  };

  async run(): Promise<Documents['import']> {
    const { args, flags } = await this.parse(Import);
    const from = importFrom(args.ARCHIVE, flags, process.env);
    const { importHeaders } = await import('../app/import-headers');
    const { ARCHIVE_LIMITS: limits, TIME_LIMITS: times } = await import('../core/limits');
    const context = { ...(await this.openHome(flags)), limits, times };
    const result = await importHeaders(from, importOptions(flags), context);
    return this.done({ result }, `${result.workspace}\n`);
  }
}
