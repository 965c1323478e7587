import { posix } from 'node:path';
import { SystemCallError } from '../errno';
import { findApplet } from './applets';
import type { Invocation } from './applets/invocation';
import { BUILTINS, SPECIAL_BUILTINS } from './builtins';
import { expandFields, expandPattern, expandText } from './expand-words';
import { patternToRegExp } from './patterns';
import { redirect, RedirectError } from './redirect';
import type { Command, CompoundBody, SimpleCommand } from './script-tree';
import { Jump, runSubshell, SHELL_PATH, type Shell, type Streams } from './shell';
import { CollectedOutput, ShellInput } from './streams';

/** Evaluates a script, and gives its status, which is `$?` from then on. Throws `Jump` for exit and the like. */
export async function runCommand(shell: Shell, command: Command, streams: Streams): Promise<number> {
  await shell.breathe();
  shell.status = await evaluate(shell, command, streams);
  return shell.status;
}

async function evaluate(shell: Shell, command: Command, streams: Streams): Promise<number> {
  switch (command.type) {
    case 'list': {
      let status = 0;
      for (const each of command.commands) status = await runCommand(shell, each, streams);
      return status;
    }
    case 'and-or': {
      let status = await runCommand(shell, command.first, streams);
      for (const { operator, command: next } of command.rest) {
        if ((status === 0) === (operator === '&&')) status = await runCommand(shell, next, streams);
      }
      return status;
    }
    case 'pipeline': {
      const status = await runPipeline(shell, command.commands, streams);
      return command.negated ? Number(status === 0) : status;
    }
    case 'function':
      shell.functions.set(command.name, command.body);
      return 0;
    case 'compound':
      return withRedirects(shell, command.redirects, streams, (inner) =>
        runCompound(shell, command.command, inner),
      );
    case 'simple':
      return runSimple(shell, command, streams);
  }
}

/** One after the other, what the one printed being the next one's input: nothing here needs more. */
async function runPipeline(shell: Shell, commands: Command[], streams: Streams): Promise<number> {
  const [only] = commands;
  if (commands.length === 1 && only) return runCommand(shell, only, streams);
  let { stdin } = streams;
  let status = 0;
  for (const [index, command] of commands.entries()) {
    const last = index === commands.length - 1;
    const collected = new CollectedOutput();
    const stdout = last ? streams.stdout : collected;
    status = await runSubshell(shell.fork(), command, { ...streams, stdin, stdout });
    stdin = ShellInput.of(collected.bytes);
  }
  return status;
}

async function withRedirects(
  shell: Shell,
  redirects: SimpleCommand['redirects'],
  streams: Streams,
  run: (streams: Streams) => Promise<number>,
): Promise<number> {
  shell.streams = streams;
  try {
    const { streams: inner, finish } = await redirect(shell, redirects, streams);
    try {
      return await run(inner);
    } finally {
      finish();
    }
  } catch (error) {
    if (!(error instanceof RedirectError)) throw error;
    await say(streams, `${SHELL_PATH}: ${error.message}`);
    return 1;
  }
}

async function runCompound(shell: Shell, command: CompoundBody, streams: Streams): Promise<number> {
  switch (command.type) {
    case 'group':
      return runCommand(shell, command.body, streams);
    case 'subshell':
      return runSubshell(shell.fork(), command.body, streams);
    case 'if':
      for (const { condition, body } of command.branches) {
        if ((await runCommand(shell, condition, streams)) === 0) return runCommand(shell, body, streams);
      }
      return command.otherwise === undefined ? 0 : runCommand(shell, command.otherwise, streams);
    case 'for':
      return runFor(shell, command, streams);
    case 'loop':
      return runLoop(shell, command, streams);
    case 'case':
      return runCase(shell, command, streams);
  }
}

type Body<T extends CompoundBody['type']> = Extract<CompoundBody, { type: T }>;

async function runFor(shell: Shell, { name, words, body }: Body<'for'>, streams: Streams): Promise<number> {
  shell.streams = streams;
  const values = words === undefined ? shell.positional : await expandFields(words, shell);
  let status = 0;
  for (const value of values) {
    shell.setVariable(name, value);
    const turn = await runTurn(() => runCommand(shell, body, streams));
    status = turn.status;
    if (turn.leave) break;
  }
  return status;
}

async function runLoop(shell: Shell, loop: Body<'loop'>, streams: Streams): Promise<number> {
  let status = 0;
  for (;;) {
    const turn = await runTurn(async () => {
      const holds = (await runCommand(shell, loop.condition, streams)) === 0;
      return holds === loop.until ? undefined : runCommand(shell, loop.body, streams);
    });
    if (turn.status !== undefined) status = turn.status;
    if (turn.leave) return status;
  }
}

/** One turn of a loop; a turn without a status was the last. */
async function runTurn<S extends number | undefined>(
  turn: () => Promise<S>,
): Promise<{ status: S | 0; leave: boolean }> {
  try {
    const status = await turn();
    return { status, leave: status === undefined };
  } catch (error) {
    if (!(error instanceof Jump) || error.to === 'exit' || error.to === 'return') throw error;
    if (error.value > 1) {
      error.value -= 1;
      throw error;
    }
    return { status: 0, leave: error.to === 'break' };
  }
}

async function runCase(shell: Shell, { subject, arms }: Body<'case'>, streams: Streams): Promise<number> {
  shell.streams = streams;
  const text = await expandText(subject, shell);
  for (const { patterns, body } of arms) {
    for (const pattern of patterns) {
      const matcher = patternToRegExp(await expandPattern(pattern, shell));
      if (matcher.test(text)) return runCommand(shell, body, streams);
    }
  }
  return 0;
}

async function runSimple(shell: Shell, command: SimpleCommand, streams: Streams): Promise<number> {
  shell.streams = streams;
  const [name, ...args] = await expandFields(command.words, shell);
  if (name === undefined) return assignOnly(shell, command, streams);
  const restore = await assign(shell, command);
  try {
    const status = await withRedirects(shell, command.redirects, streams, (inner) =>
      invoke(shell, name, args, inner),
    );
    const fatal = status !== 0 && SPECIAL_BUILTINS.has(name) && command.redirects.length > 0;
    if (fatal && !shell.functions.has(name)) throw new Jump('exit', status);
    return status;
  } finally {
    restore();
  }
}

/** No command: the assignments stay, and the status is that of the last command substitution. */
async function assignOnly(shell: Shell, command: SimpleCommand, streams: Streams): Promise<number> {
  const { assignments, redirects } = command;
  const substitutes = assignments.some(({ value }) => value.some(({ type }) => type === 'substitution'));
  await assign(shell, command);
  return withRedirects(shell, redirects, streams, () => Promise.resolve(substitutes ? shell.status : 0));
}

/** Makes the assignments in front of a command. @returns how to undo them */
async function assign(shell: Shell, { assignments }: SimpleCommand): Promise<() => void> {
  const before = assignments.map(({ name }) => [name, shell.variables.get(name)] as const);
  for (const { name, value } of assignments) shell.setVariable(name, await expandText(value, shell));
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) shell.variables.delete(name);
      else shell.variables.set(name, value);
    }
  };
}

/** Runs a function, a builtin or an applet by its name. */
export async function invoke(shell: Shell, name: string, args: string[], streams: Streams): Promise<number> {
  const body = shell.functions.get(name);
  if (body !== undefined) return runFunction(shell, body, args, streams);
  const invocation: Invocation = { ...streams, name: posix.basename(name), args, shell };
  const command = BUILTINS.get(name) ?? findApplet(shell, name);
  if (command === undefined) {
    await say(streams, `${SHELL_PATH}: ${name}: inaccessible or not found`);
    return 127;
  }
  try {
    return await command(invocation);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    await say(streams, `${invocation.name}: ${error.message}`);
    return 1;
  }
}

async function runFunction(shell: Shell, body: Command, args: string[], streams: Streams): Promise<number> {
  const { positional } = shell;
  shell.positional = args;
  try {
    return await runCommand(shell, body, streams);
  } catch (error) {
    if (error instanceof Jump && error.to === 'return') return error.value;
    throw error;
  } finally {
    shell.positional = positional;
  }
}

async function say({ stderr }: Streams, line: string): Promise<void> {
  await stderr.write(Buffer.from(`${line}\n`));
}
