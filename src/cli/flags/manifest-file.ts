import * as Args from '@oclif/core/args';
import { CLIError } from '@oclif/core/errors';
import * as Flags from '@oclif/core/flags';
import { parseExpiry } from '../../core/expiry';

/** The manifest that a `kh manifest` command works on. */
export const manifestFile = Args.string({
  name: 'FILE',
  description: 'The manifest.',
  required: true,
});

/** Until when something counts; an ISO time. */
export const expiresFlag = (summary: string) =>
  Flags.custom({
    summary,
    description: 'A length of time from now on (12h, 90d, 26w), a date (2027-06-30), or a time in UTC.',
    helpValue: 'WHEN',
    parse: (input) => {
      const time = parseExpiry(input, new Date());
      if (time !== undefined) return Promise.resolve(time);
      throw new CLIError(`${input} is no time to come: give 12h, 90d, 26w, or a date such as 2027-06-30`);
    },
  })();

/** What a manifest says to people, as its entries may have it. */
export const proseFlag = Flags.custom({
  helpValue: 'TEXT',
  parse: (input, _, { name }) => {
    if (/^[^\0]{1,1000}$/s.test(input)) return Promise.resolve(input);
    throw new CLIError(`--${name} takes text of 1 to 1000 characters`);
  },
});

export const passphraseFlag = Flags.string({
  summary: 'File whose first line is the passphrase of the private key.',
  env: 'KH_PASSPHRASE_FILE',
  helpValue: 'FILE',
});
