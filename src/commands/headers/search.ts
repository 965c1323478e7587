import * as Args from '@oclif/core/args';
import type { Documents } from '../../cli/documents';
import { headersFlags } from '../../cli/flags/headers-flags';
import { searchFlags, searchQuery } from '../../cli/flags/search-flags';
import { HeadersCommand } from '../../cli/headers-command';
import { prose } from '../../cli/prose';
import { searchText } from '../../cli/text/search';

export default class HeadersSearch extends HeadersCommand {
  static override summary = "Search the files of a kernel's headers archive, as rg does.";
  static override description = prose`PATTERN is a regular expression of JavaScript, looked for in each line. Globs are those of
\`kh headers list\`. On a terminal, lines stand below the name of their file; elsewhere the name
stands in front of each.

Where nothing matches, nothing is printed, stderr says so, and the exit code is 0.`;
  static override examples = [
    "<%= config.bin %> <%= command.id %> 'struct task_struct \\{'",
    "<%= config.bin %> <%= command.id %> -iW mmap_lock '**/linux/mm*.h' -C 3",
    "<%= config.bin %> <%= command.id %> -F '#define PAGE_SHIFT' -a kheaders.tar.xz --json",
  ];
  static override args = {
    pattern: Args.string({ name: 'PATTERN', description: 'What to look for.', required: true }),
    globs: Args.string({ name: 'GLOB', description: 'In which files; all when left out.', multiple: true }),
  };
  static override flags = { ...searchFlags, ...headersFlags };

  async run(): Promise<Documents['headers search']> {
    const { args, flags } = await this.parse(HeadersSearch);
    const { headersSearch } = await import('../../app/headers/search-headers');
    const query = searchQuery(args, flags);
    const search = headersSearch(query);
    const { count, 'files-with-matches': names } = flags;
    const form = {
      show: names ? 'names' : count ? 'counts' : 'lines',
      numbers: flags['line-number'],
      headings: process.stdout.isTTY,
      context: query.before + query.after > 0,
    } as const;
    return this.look(flags, search, (result) => searchText(result, form, this.colours));
  }
}
