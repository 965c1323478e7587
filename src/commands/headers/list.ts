import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Documents } from '../../cli/documents';
import { headersFlags } from '../../cli/flags/headers-flags';
import { HeadersCommand } from '../../cli/headers-command';
import { prose } from '../../cli/prose';
import { listText } from '../../cli/text/headers';

export default class HeadersList extends HeadersCommand {
  static override summary = "List the files of a kernel's headers archive, without unpacking it.";
  static override description = prose`Reads a kheaders.tar.xz, a workspace's archive, or that of the kernel which a device runs; nothing
is pulled into the store but an index of it, which the next look uses.

Globs are those of .gitignore: one without a slash matches names in every folder, one with a
slash the whole path, one that matches a folder takes all below it, and ! takes out again.`;
  static override examples = [
    "<%= config.bin %> <%= command.id %> 'sched*.h'",
    '<%= config.bin %> <%= command.id %> -l include/generated -a kheaders.tar.xz',
    "<%= config.bin %> <%= command.id %> '**/asm/*.h' '!**/generated/**' -s 0A041FDD4003DM",
  ];
  static override args = {
    globs: Args.string({ name: 'GLOB', description: 'Which files; all when left out.', multiple: true }),
  };
  static override flags = {
    long: Flags.boolean({ char: 'l', summary: 'Show kind, mode, size, and where links lead.' }),
    folders: Flags.boolean({ char: 'd', summary: 'List folders, too.' }),
    ...headersFlags,
  };

  async run(): Promise<Documents['headers list']> {
    const { args, flags } = await this.parse(HeadersList);
    const { listHeaders } = await import('../../app/headers/list-headers');
    const options = { globs: args.globs ?? [], folders: flags.folders };
    return this.look(
      flags,
      (index) => listHeaders(index, options),
      (list) => listText(list, flags),
    );
  }
}
