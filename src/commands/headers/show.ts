import * as Args from '@oclif/core/args';
import type { Documents } from '../../cli/documents';
import { headersFlags } from '../../cli/flags/headers-flags';
import { HeadersCommand } from '../../cli/headers-command';
import { prose } from '../../cli/prose';
import { showText } from '../../cli/text/headers';

export default class HeadersShow extends HeadersCommand {
  static override summary = "Print a file of a kernel's headers archive.";
  static override description = prose`A file is named by its path in the archive; or as in #include <linux/sched.h>, which is looked for
in the order in which the kernel's own build looks; or by its name alone, where only one is called
so. Several are printed one after the other. Links are followed.

Where stdout is no terminal, the bytes are those of the archive.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> linux/sched.h',
    '<%= config.bin %> <%= command.id %> generated/autoconf.h -w PIXEL8 | grep KASAN',
    '<%= config.bin %> <%= command.id %> include/uapi/linux/bpf.h -a kheaders.tar.xz > bpf.h',
  ];
  static override args = {
    headers: Args.string({ name: 'PATH', description: 'The files.', multiple: true, required: true }),
  };
  static override flags = headersFlags;

  async run(): Promise<Documents['headers show']> {
    const { args, flags } = await this.parse(HeadersShow);
    const { headerDocument, showHeaders } = await import('../../app/headers/show-headers');
    const terminal = process.stdout.isTTY;
    return this.look(
      flags,
      (index) => showHeaders(index, args.headers).map(headerDocument),
      (headers) => showText(headers, { terminal }),
    );
  }
}
