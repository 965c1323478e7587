import * as Flags from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';
import type { SearchQuery } from '../../app/headers/search-headers';

const HELP = 'SEARCH';

const context = (char: 'A' | 'B' | 'C', summary: string) =>
  Flags.integer({ char, summary, min: 0, max: 1_000_000, helpValue: 'N', helpGroup: HELP });

/** What to search for, as in rg. */
export const searchFlags = {
  'ignore-case': Flags.boolean({
    char: 'i',
    summary: 'Take upper and lower case for the same.',
    helpGroup: HELP,
  }),
  'fixed-strings': Flags.boolean({
    char: 'F',
    summary: 'Take PATTERN as it is, for no regular expression.',
    helpGroup: HELP,
  }),
  'word-regexp': Flags.boolean({
    char: 'W',
    summary: 'Only where no letter, digit or _ stands beside it.',
    helpGroup: HELP,
  }),
  glob: Flags.string({
    char: 'g',
    summary: 'Which files, as a GLOB behind the pattern; may be repeated.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'GLOB',
    helpGroup: HELP,
  }),
  'after-context': context('A', 'Show N lines after each that matches, too.'),
  'before-context': context('B', 'Show N lines before each that matches, too.'),
  context: context('C', 'Show N lines before and after each that matches, too.'),
  'files-with-matches': Flags.boolean({
    char: 'l',
    summary: 'Print only the names of the files.',
    exclusive: ['count'],
    helpGroup: HELP,
  }),
  count: Flags.boolean({
    char: 'c',
    summary: 'Print only how many lines match in each file.',
    helpGroup: HELP,
  }),
  'line-number': Flags.boolean({
    char: 'n',
    summary: 'Print the number of each line.',
    allowNo: true,
    default: true,
    helpGroup: HELP,
  }),
};

/** What the words and flags ask for. */
export function searchQuery(
  { pattern, globs = [] }: { pattern: string; globs?: string[] | undefined },
  flags: InferredFlags<typeof searchFlags>,
): SearchQuery {
  const { context: both = 0, 'before-context': before = both, 'after-context': after = both } = flags;
  const namesOnly = flags['files-with-matches'];
  const contextless = namesOnly || flags.count;
  return {
    pattern,
    globs: [...globs, ...(flags.glob ?? [])],
    fixed: flags['fixed-strings'],
    ignoreCase: flags['ignore-case'],
    word: flags['word-regexp'],
    before: contextless ? 0 : before,
    after: contextless ? 0 : after,
    first: namesOnly,
  };
}
