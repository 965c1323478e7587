import { CLIError } from '@oclif/core/errors';
import { KhError, asKhError } from '../core/errors';
import { didYouMean } from './did-you-mean';

/** What a parse error can be explained with. */
export interface CommandForm {
  /** As typed: `kh workspace show`. */
  name: string;
  /** Without dashes. */
  flags: string[];
}

/**
 * Whatever was thrown on the way through the command line, as a KhError:
 * oclif's complaints about flags and arguments become USAGE.
 */
export function asFailure(thrown: unknown, form: CommandForm): KhError {
  if (thrown instanceof KhError) return thrown;
  if (!(thrown instanceof CLIError) || thrown.oclif.exit !== USAGE_EXIT) return asKhError(thrown);
  const message = thrown.message
    .replace(/\nSee more help with --help/g, '')
    .replace(/^The following errors? occurred:\s+/, '')
    .replace(/^Parsing (--\S+)\s+/, '$1: ')
    .replace(/^Nonexistent flag: /, 'there is no flag ')
    .replace(/^Missing 1 required arg:\s+(\S+)[^]*/, '$1 is missing')
    .replace(
      /(--[\w-]+)=[^]*? cannot also be provided when using (--[\w-]+)/g,
      '$1 and $2 exclude each other',
    )
    .replace(/\n\nNote: [^]*$/, '')
    .replace(/:\s*\n\s*/g, ': ')
    .replace(/\s*\n\s*/g, '; ')
    .replace(/ {2,}/g, ' ')
    .replace(/\u001b\[[0-9;]*m/g, '');
  return new KhError('USAGE', {
    message,
    hint: [...nearestFlags(thrown, form), `\`${form.name} --help\` shows what it takes.`].join(' '),
    cause: thrown,
  });
}

/** The exit code that oclif gives an error of its parser. */
const USAGE_EXIT = 2;

function nearestFlags(error: Error, { flags }: CommandForm): string[] {
  if (!('flags' in error) || !Array.isArray(error.flags)) return [];
  return (error.flags as string[]).flatMap((flag) => {
    const near = didYouMean(flag.replace(/^-+/, ''), flags);
    return near === undefined ? [] : [`Did you mean --${near}?`];
  });
}
