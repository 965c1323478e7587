import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { carvedText } from '../cli/text/carved';
import type { Documents } from '../cli/documents';
import { KhCommand } from '../cli/kh-command';
import { prose } from '../cli/prose';

export default class Carve extends KhCommand {
  static override progress = true;
  static override summary =
    'Find the headers archive in a kernel image, a boot image, kheaders.ko or a dump.';
  static override description = prose`
Searches the image for kernels: through Android boot images and packed kernels, by the ELF symbols
of a vmlinux or a kheaders.ko, by the markers of early kernels, or byte by byte. Each archive is
proved by decoding it to its end. The kernel's own configuration and its exported symbols are
found, too.

Without -o, prints what is there and writes nothing. A file gets the headers archive, or what
--what names; a folder gets all that was found, named by kernel release.

Exits with 5 where there are no headers, and with 7 where they are damaged or cut off.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> boot.img',
    '<%= config.bin %> <%= command.id %> boot.img -o kheaders.tar.xz',
    '<%= config.bin %> <%= command.id %> Image.lz4 --what config -o .config',
    '<%= config.bin %> <%= command.id %> system_dlkm.img -o carved/ --json',
  ];
  static override args = {
    IMAGE: Args.string({ description: 'The image: a file of any size.', required: true }),
  };
  static override flags = {
    output: Flags.string({
      char: 'o',
      summary: 'Where to: a file, or a folder (one that is there, or a name that ends with a slash).',
      helpValue: 'PATH',
    }),
    what: Flags.option({
      summary: 'The part that has to be there, and that -o writes.',
      options: ['headers', 'config', 'symvers'] as const,
    })(),
    index: Flags.integer({
      summary: 'Which kernel, where the image holds several: its number in the list.',
      min: 1,
      helpValue: 'N',
    }),
  };

  async run(): Promise<Documents['carve']> {
    const { args, flags } = await this.parse(Carve);
    const { carve } = await import('../app/carve');
    const { ARCHIVE_LIMITS: limits } = await import('../core/limits');
    const { output, what, index } = flags;
    const options = { ...(output && { output }), ...(what && { what }), ...(index && { index }) };
    const result = await carve(args.IMAGE, options, { ...(await this.work(flags)), limits });
    return this.done({ result }, carvedText(result, this.colours));
  }
}
