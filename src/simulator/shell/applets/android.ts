import { setTimeout as sleep } from 'node:timers/promises';
import { SystemCallError } from '../../errno';
import { ROOT_UID, SHELL_UID } from '../../file-system';
import { runScript } from '../run-command-line';
import { invoke } from '../run-command';
import { SHELL_PATH, type Shell } from '../shell';
import { complain, parseOptions, print, type Applet, type Invocation } from './invocation';

export const getprop: Applet = async (invocation) => {
  const { properties } = invocation.shell.device;
  const [name, fallback = ''] = invocation.args;
  if (name !== undefined) {
    await print(invocation, `${properties.get(name) ?? fallback}\n`);
    return 0;
  }
  const lines = [...properties].sort(([one], [other]) => (one < other ? -1 : 1));
  await print(invocation, lines.map(([key, value]) => `[${key}]: [${value}]\n`).join(''));
  return 0;
};

export const setprop: Applet = async (invocation) => {
  const [name, value = ''] = invocation.args;
  if (name === undefined || (name.startsWith('ro.') && invocation.shell.device.properties.has(name))) {
    await complain(invocation, `failed to set property '${name ?? ''}' to '${value}'`);
    return 1;
  }
  invocation.shell.device.properties.set(name, value);
  return 0;
};

export const id: Applet = async (invocation) => {
  const { uid } = invocation.shell;
  const { flags } = parseOptions(invocation.args);
  const name = uid === ROOT_UID ? 'root' : uid === SHELL_UID ? 'shell' : `u0_a${uid}`;
  const number = flags.has('u') || flags.has('g');
  const context = uid === ROOT_UID ? 'u:r:su:s0' : 'u:r:shell:s0';
  const full = `uid=${uid}(${name}) gid=${uid}(${name}) groups=${uid}(${name}) context=${context}`;
  await print(invocation, `${number ? (flags.has('n') ? name : uid) : full}\n`);
  return 0;
};

export const whoami: Applet = (invocation) => id({ ...invocation, args: ['-un'] });

export const pause: Applet = async ({ args, shell }) => {
  const seconds = args.map((arg) => Number(arg.replace(/s$/, ''))).reduce((sum, each) => sum + each, 0);
  if (!(seconds >= 0)) throw new SystemCallError('EINVAL');
  await sleep(Math.min(seconds * 1000, 2 ** 31 - 1), undefined, { signal: shell.signal });
  return 0;
};

/** `toybox NAME ARGS…`, and alone the names that it knows. */
export const toybox: Applet = (invocation) => {
  const { args, shell, ...streams } = invocation;
  const [name, ...rest] = args;
  return name === undefined ? 0 : invoke(shell, name, rest, streams);
};

/** `sh -c SCRIPT [NAME ARGS…]`, `sh FILE ARGS…`, and a script on stdin. */
export const sh: Applet = async (invocation) =>
  runShell(invocation, invocation.shell.fork(), invocation.args);

async function runShell(invocation: Invocation, child: Shell, args: string[]): Promise<number> {
  const { stdin } = invocation;
  const [first, ...rest] = args;
  if (first === '-c') {
    const [script = '', , ...positional] = rest;
    child.positional = positional;
    return runScript(child, script, invocation);
  }
  child.positional = rest;
  if (first === undefined)
    return runScript(child, (await stdin.readAll(child.signal)).toString('utf8'), invocation);
  try {
    const script = child.device.files.read(child.path(first), child.uid).toString('utf8');
    return await runScript(child, script, invocation);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    await invocation.stderr.write(Buffer.from(`${SHELL_PATH}: ${first}: ${error.message}\n`));
    return 127;
  }
}

/** The su that the device has: each takes a command in its own way. */
export const su: Applet = (invocation) => {
  switch (invocation.shell.device.parts.description.su) {
    case 'aosp':
      return aospSu(invocation);
    case 'magisk':
      return magiskSu(invocation);
    case 'magisk-refused':
    case 'none':
      return refusedSu(invocation);
  }
};

/** `su [WHO [COMMAND…]]`: the command is executed, not read by a shell. */
async function aospSu(invocation: Invocation): Promise<number> {
  const { shell, args } = invocation;
  const [who = 'root', ...command] = args;
  const uid = userNumber(who);
  if (uid === undefined) {
    await complain(invocation, `invalid uid/gid '${who}'`);
    return 1;
  }
  if (shell.uid !== ROOT_UID && shell.uid !== SHELL_UID) {
    await complain(invocation, 'not allowed');
    return 1;
  }
  const child = shell.fork(uid);
  const [name, ...rest] = command;
  return name === undefined ? runShell(invocation, child, []) : invoke(child, name, rest, invocation);
}

function userNumber(who: string): number | undefined {
  if (who === 'root') return ROOT_UID;
  if (who === 'shell') return SHELL_UID;
  return /^\d{1,6}$/.test(who) ? Number(who) : undefined;
}

/** `su [WHO] [-c COMMAND…]`: a shell reads the command; other words are that shell's arguments. */
async function magiskSu(invocation: Invocation): Promise<number> {
  const args = [...invocation.args];
  const who = args[0] === undefined || args[0] === '-c' ? 'root' : (args.shift() ?? '');
  const uid = userNumber(who);
  if (uid === undefined) {
    await complain(invocation, `unknown user '${who}'`);
    return 1;
  }
  const child = invocation.shell.fork(uid);
  return runShell(invocation, child, args[0] === '-c' ? ['-c', args.slice(1).join(' ')] : args);
}

/** Its owner said no. */
async function refusedSu({ stderr }: Invocation): Promise<number> {
  await stderr.write(Buffer.from('Permission denied\n'));
  return 13;
}
