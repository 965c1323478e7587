import { findApplet } from './applets';
import type { Applet, Invocation } from './applets/invocation';
import { interpretEscapes } from './escapes';
import { parseScript } from './parse-script';
import { runCommand, invoke } from './run-command';
import { Jump, SHELL_PATH } from './shell';
import { evaluateTest, TestError } from './test-expression';

/** A failing redirection of one of these ends the shell, says POSIX. */
export const SPECIAL_BUILTINS = new Set([
  ':',
  'break',
  'continue',
  'eval',
  'exit',
  'export',
  'return',
  'set',
  'shift',
  'unset',
]);

const nothing: Applet = () => 0;

/** Commands that work on the shell itself, or are quicker inside it. */
export const BUILTINS = new Map<string, Applet>([
  [':', nothing],
  ['true', nothing],
  ['false', () => 1],
  ['trap', nothing],
  ['umask', nothing],
  ['wait', nothing],
  ['exit', ({ args, shell }) => jump('exit', Number(args[0] ?? shell.status) & 0xff)],
  ['return', ({ args, shell }) => jump('return', Number(args[0] ?? shell.status) & 0xff)],
  ['break', ({ args }) => jump('break', Number(args[0] ?? 1))],
  ['continue', ({ args }) => jump('continue', Number(args[0] ?? 1))],
  ['cd', changeDirectory],
  ['command', runCommandBuiltin],
  ['echo', echo],
  ['eval', ({ args, shell, ...streams }) => runCommand(shell, parseScript(args.join(' ')), streams)],
  ['export', assign],
  ['local', assign],
  ['readonly', assign],
  ['pwd', async ({ shell, stdout }) => (await stdout.write(Buffer.from(`${shell.cwd}\n`)), 0)],
  ['read', read],
  ['set', setOptions],
  ['shift', shift],
  ['test', test],
  ['[', test],
  ['unset', unset],
]);

function jump(to: Jump['to'], value: number): never {
  throw new Jump(to, value);
}

function changeDirectory({ args, shell }: Invocation): number {
  const path = shell.path(args[0] ?? '/');
  shell.device.files.list(path, shell.uid);
  shell.cwd = path;
  return 0;
}

async function runCommandBuiltin({ args, shell, ...streams }: Invocation): Promise<number> {
  const [option, ...rest] = args;
  if (option !== '-v') return option === undefined ? 0 : invoke(shell, option, rest, streams);
  const found = rest.map((name) => locate(name, shell));
  for (const path of found) if (path !== undefined) await streams.stdout.write(Buffer.from(`${path}\n`));
  return found.includes(undefined) ? 1 : 0;
}

function locate(name: string, shell: Invocation['shell']): string | undefined {
  if (BUILTINS.has(name) || shell.functions.has(name)) return name;
  if (findApplet(shell, name) === undefined) return undefined;
  return name.startsWith('/') ? name : `/system/bin/${name}`;
}

/** As mksh has it: `-n`, `-e`, `-E`, and backslashes read unless `-E`. */
async function echo({ args, stdout }: Invocation): Promise<number> {
  const words = [...args];
  let lineEnd = '\n';
  let escapes = true;
  while (/^-[neE]+$/.test(words[0] ?? '')) {
    const option = words.shift() ?? '';
    if (option.includes('n')) lineEnd = '';
    escapes = !option.includes('E');
  }
  const text = words.join(' ');
  await stdout.write(Buffer.from((escapes ? interpretEscapes(text) : text) + lineEnd));
  return 0;
}

function assign({ args, shell }: Invocation): number {
  for (const arg of args) {
    const equals = arg.indexOf('=');
    if (equals > 0) shell.setVariable(arg.slice(0, equals), arg.slice(equals + 1));
  }
  return 0;
}

/** `read [-r] NAME…`: the last name takes the rest of the line. */
async function read({ args, shell, stdin }: Invocation): Promise<number> {
  const names = args.filter((arg) => !arg.startsWith('-'));
  const line = await stdin.readLine(shell.signal);
  const keepBlanks = shell.variable('IFS') === '';
  let rest = line?.text ?? '';
  if (!keepBlanks) rest = rest.replace(/^[ \t]+|[ \t]+$/g, '');
  for (const [index, name] of names.entries()) {
    const [, first = '', others = ''] = /^(\S*)[ \t]*(.*)$/s.exec(rest) ?? [];
    const last = keepBlanks || index === names.length - 1;
    shell.setVariable(name, last ? rest : first);
    rest = last ? '' : others;
  }
  return line?.complete ? 0 : 1;
}

/** `set -- WORDS`; options such as -e and -u are accepted, and do nothing. */
function setOptions({ args, shell }: Invocation): number {
  const words = [...args];
  while (/^[-+]\w/.test(words[0] ?? '')) words.shift();
  if (words[0] === '--') shell.positional = words.slice(1);
  else if (words.length > 0) shell.positional = words;
  return 0;
}

function shift({ args, shell }: Invocation): number {
  const count = Number(args[0] ?? 1);
  if (count > shell.positional.length) return 1;
  shell.positional = shell.positional.slice(count);
  return 0;
}

async function test({ name, args, shell, stderr }: Invocation): Promise<number> {
  const words = [...args];
  try {
    if (name === '[' && words.pop() !== ']') throw new TestError("missing ']'");
    return evaluateTest(words, shell) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof TestError)) throw error;
    await stderr.write(Buffer.from(`${SHELL_PATH}: ${name}: ${error.message}\n`));
    return 2;
  }
}

function unset({ args, shell }: Invocation): number {
  for (const name of args) {
    shell.variables.delete(name);
    shell.functions.delete(name);
  }
  return 0;
}
