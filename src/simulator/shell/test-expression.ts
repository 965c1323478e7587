import { SystemCallError } from '../errno';
import type { Stat } from '../file-system';
import type { Shell } from './shell';

/** What stands between the brackets can't be read. */
export class TestError extends Error {}

/** Evaluates what test(1) is given. @throws TestError */
export function evaluateTest(words: readonly string[], shell: Shell): boolean {
  if (words.length === 0) return false;
  const rest = [...words];
  const result = either(rest, shell);
  if (rest.length > 0) throw new TestError(`${rest[0] ?? ''}: unexpected operator/operand`);
  return result;
}

function either(words: string[], shell: Shell): boolean {
  let result = both(words, shell);
  while (words[0] === '-o') {
    words.shift();
    result = both(words, shell) || result;
  }
  return result;
}

function both(words: string[], shell: Shell): boolean {
  let result = primary(words, shell);
  while (words[0] === '-a') {
    words.shift();
    result = primary(words, shell) && result;
  }
  return result;
}

function primary(words: string[], shell: Shell): boolean {
  const [first, second, third] = words;
  if (first === undefined) throw new TestError('argument expected');
  const binary = second === undefined ? undefined : BINARY[second];
  if (binary !== undefined && third !== undefined) {
    words.splice(0, 3);
    return binary(first, third);
  }
  if (first === '!' && second !== undefined) {
    words.shift();
    return !primary(words, shell);
  }
  if (first === '(' && second !== undefined) {
    words.shift();
    const result = either(words, shell);
    if (words.shift() !== ')') throw new TestError("missing ')'");
    return result;
  }
  const unary = UNARY[first];
  if (unary !== undefined && second !== undefined) {
    words.splice(0, 2);
    return unary(second, shell);
  }
  words.shift();
  return first !== '';
}

const UNARY: Record<string, ((word: string, shell: Shell) => boolean) | undefined> = {
  '-z': (word) => word === '',
  '-n': (word) => word !== '',
  '-e': (word, shell) => statOf(word, shell) !== undefined,
  '-f': (word, shell) => statOf(word, shell)?.kind === 'file',
  '-d': (word, shell) => statOf(word, shell)?.kind === 'directory',
  '-s': (word, shell) => (statOf(word, shell)?.size ?? 0) > 0,
  '-L': (word, shell) => statOf(word, shell, { follow: false })?.kind === 'link',
  '-h': (word, shell) => statOf(word, shell, { follow: false })?.kind === 'link',
  '-r': (word, shell) => shell.device.files.allows(shell.path(word), shell.uid, 'read'),
  '-w': (word, shell) => shell.device.files.allows(shell.path(word), shell.uid, 'write'),
  '-x': (word, shell) => shell.device.files.allows(shell.path(word), shell.uid, 'execute'),
};

const BINARY: Record<string, ((one: string, other: string) => boolean) | undefined> = {
  '=': (one, other) => one === other,
  '==': (one, other) => one === other,
  '!=': (one, other) => one !== other,
  '-eq': (one, other) => integer(one) === integer(other),
  '-ne': (one, other) => integer(one) !== integer(other),
  '-lt': (one, other) => integer(one) < integer(other),
  '-le': (one, other) => integer(one) <= integer(other),
  '-gt': (one, other) => integer(one) > integer(other),
  '-ge': (one, other) => integer(one) >= integer(other),
};

function integer(word: string): number {
  if (!/^\s*[-+]?\d+\s*$/.test(word)) throw new TestError(`${word}: bad number`);
  return Number(word);
}

function statOf(word: string, shell: Shell, options = { follow: true }): Stat | undefined {
  try {
    return shell.device.files.stat(shell.path(word), shell.uid, options);
  } catch (error) {
    if (error instanceof SystemCallError) return undefined;
    throw error;
  }
}
