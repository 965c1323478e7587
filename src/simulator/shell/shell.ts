import { posix } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SystemCallError } from '../errno';
import type { SimulatedDevice } from '../simulated-device';
import type { ExpansionScope } from './expand-words';
import { runCommand } from './run-command';
import type { Command } from './script-tree';
import { CollectedOutput, type ShellInput, type ShellOutput } from './streams';

export const SHELL_PATH = '/system/bin/sh';
const COMMANDS_A_TURN = 200;

export interface Streams {
  stdin: ShellInput;
  stdout: ShellOutput;
  stderr: ShellOutput;
}

/** The state of one shell process. */
export class Shell implements ExpansionScope {
  readonly variables: Map<string, string>;
  readonly functions: Map<string, Command>;
  readonly pid: number;
  positional: readonly string[] = [];
  cwd: string;
  status = 0;
  /** Streams of the command under way, for command substitutions. */
  streams: Streams | undefined;
  #commands = 0;

  constructor(
    readonly device: SimulatedDevice,
    readonly uid: number,
    readonly signal: AbortSignal,
    parent?: Shell,
  ) {
    this.variables = new Map(parent?.variables ?? [['PATH', '/product/bin:/system/bin:/vendor/bin']]);
    this.functions = new Map(parent?.functions);
    this.positional = parent?.positional ?? [];
    this.cwd = parent?.cwd ?? '/';
    this.status = parent?.status ?? 0;
    this.streams = parent?.streams;
    this.pid = device.newPid();
  }

  /** A child process with a copy of the state. */
  fork(uid = this.uid): Shell {
    return new Shell(this.device, uid, this.signal, this);
  }

  variable(name: string): string | undefined {
    if (/^\d+$/.test(name)) return name === '0' ? SHELL_PATH : this.positional[Number(name) - 1];
    switch (name) {
      case '?':
        return String(this.status);
      case '#':
        return String(this.positional.length);
      case '$':
        return String(this.pid);
      case '*':
      case '@':
        return this.positional.length === 0 ? undefined : this.positional.join(' ');
      case 'PWD':
        return this.cwd;
      default:
        return this.variables.get(name);
    }
  }

  setVariable(name: string, value: string): void {
    this.variables.set(name, value);
  }

  async capture(script: Command): Promise<string> {
    const stdout = new CollectedOutput();
    if (this.streams === undefined) throw new Error('a word is expanded outside of any command');
    const child = this.fork();
    this.status = await runSubshell(child, script, { ...this.streams, stdout });
    return stdout.bytes.toString('utf8').replaceAll('\0', '');
  }

  namesIn(folder: string): string[] {
    try {
      return this.device.files.list(folder, this.uid);
    } catch (error) {
      if (error instanceof SystemCallError) return [];
      throw error;
    }
  }

  exists(path: string): boolean {
    try {
      this.device.files.stat(path, this.uid, { follow: false });
      return true;
    } catch (error) {
      if (error instanceof SystemCallError) return false;
      throw error;
    }
  }

  /** A path as this shell's commands mean it. */
  path(name: string): string {
    return posix.resolve(this.cwd, name);
  }

  /** Called before each command: ends the shell when its client has left, and lets others work. */
  async breathe(): Promise<void> {
    this.signal.throwIfAborted();
    this.#commands += 1;
    if (this.#commands % COMMANDS_A_TURN === 0) await nextTurn();
  }
}

/** exit, return, break, continue: whoever they are meant for catches them. */
export class Jump extends Error {
  constructor(
    readonly to: 'exit' | 'return' | 'break' | 'continue',
    /** The status, or how many loops. */
    public value: number,
  ) {
    super(to);
  }
}

/** Runs a script to its end in a shell of its own; `exit` in it ends that shell only. */
export async function runSubshell(child: Shell, script: Command, streams: Streams): Promise<number> {
  try {
    return await runCommand(child, script, streams);
  } catch (error) {
    if (!(error instanceof Jump)) throw error;
    return error.to === 'exit' || error.to === 'return' ? error.value : child.status;
  }
}
