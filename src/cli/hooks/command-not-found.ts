import type { Hook } from '@oclif/core/interfaces';
import { KhError } from '../../core/errors';
import { didYouMean } from '../did-you-mean';

/** Says what was probably meant, and asks nothing. */
const hook: Hook.CommandNotFound = ({ id, config }) => {
  const commands = config.commands.filter(({ hidden }) => !hidden).map((command) => command.id);
  throw unknownCommand(id, commands, config.bin);
};

export default hook;

/**
 * The error for words that name no command. What oclif hands over as `id` is
 * every word up to the first flag.
 *
 * @param commands ids such as `workspace:list`
 */
export function unknownCommand(id: string, commands: string[], bin: string): KhError {
  if (id.startsWith('-')) {
    return new KhError('USAGE', {
      message: `${id} stands before any command`,
      hint: 'Flags come after the command.',
    });
  }
  const words = id.split(':');
  const known = commands.find((command) => id.startsWith(`${command}:`));
  if (known !== undefined) {
    const rest = words.slice(known.split(':').length).join(' ');
    const name = `${bin} ${known.replaceAll(':', ' ')}`;
    return new KhError('USAGE', {
      message: `\`${name}\` takes no argument, but was given: ${rest}`,
      hint: `\`${name} --help\` shows what it takes.`,
    });
  }
  const spaced = commands.map((command) => command.replaceAll(':', ' '));
  const near = didYouMean(words.join(' '), spaced) ?? didYouMean(words.slice(0, 2).join(' '), spaced);
  const topics = spaced.map((command) => command.split(' ')[0] ?? command);
  const nearest = near ?? didYouMean(words[0] ?? '', topics);
  return new KhError('USAGE', {
    message: `there is no command \`${bin} ${words.join(' ')}\``,
    hint: nearest === undefined ? `\`${bin} --help\` lists them.` : `Did you mean \`${bin} ${nearest}\`?`,
  });
}
