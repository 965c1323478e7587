import type { Shell, Streams } from '../shell';

/** A command on its way: what it was given, by whom, and its streams. */
export interface Invocation extends Streams {
  name: string;
  args: string[];
  shell: Shell;
}

/** @returns the exit status; what the kernel refuses may be thrown as SystemCallError */
export type Applet = (invocation: Invocation) => number | Promise<number>;

export async function print({ stdout }: Invocation, text: string): Promise<void> {
  await stdout.write(Buffer.from(text));
}

/** A message in the form that toybox gives all of its own. */
export async function complain({ name, stderr }: Invocation, text: string): Promise<void> {
  await stderr.write(Buffer.from(`${name}: ${text}\n`));
}

export interface ParsedOptions {
  flags: Set<string>;
  values: Map<string, string[]>;
  rest: string[];
}

/**
 * Options of one letter, joined or not, up to `--`; `withValue` names those
 * that take one. Others that begin with a dash count as flags.
 */
export function parseOptions(args: readonly string[], withValue = ''): ParsedOptions {
  const parsed: ParsedOptions = { flags: new Set(), values: new Map(), rest: [] };
  const words = [...args];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') {
      parsed.rest.push(...words);
      break;
    }
    if (!/^-./s.test(word)) parsed.rest.push(word);
    else parseLetters(word.slice(1), words, withValue, parsed);
  }
  return parsed;
}

function parseLetters(letters: string, words: string[], withValue: string, parsed: ParsedOptions): void {
  for (let at = 0; at < letters.length; at += 1) {
    const letter = letters.charAt(at);
    if (!withValue.includes(letter)) {
      parsed.flags.add(letter);
      continue;
    }
    const value = letters.slice(at + 1) || (words.shift() ?? '');
    parsed.values.set(letter, [...(parsed.values.get(letter) ?? []), value]);
    return;
  }
}
