import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { isErrno } from '../../core/errors';
import { userUmask } from '../../core/umask';

export interface CommandOptions {
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** Milliseconds that it may take. */
  timeout: number;
  /** Milliseconds from SIGTERM to SIGKILL. */
  grace: number;
  onStart: (pid: number) => void;
  /** A line of its output, without the newline; long ones come in pieces. */
  onLine: (line: string) => void;
}

/** How a command ended; one that could not be run at all has an `error`. */
export interface CommandEnd {
  exitCode: number | undefined;
  signal: NodeJS.Signals | undefined;
  timedOut: boolean;
  error?: Error;
}

/** For output that is still under way when the command has ended, in milliseconds. */
const LAST_OUTPUT = 500;

const LONGEST_LINE = 4000;

/**
 * Runs a command with `sh -c`, in a process group of its own, to its end. When
 * the signal fires or its time is over, the group gets SIGTERM, and SIGKILL
 * where that is not enough. What the command leaves behind in its group ends
 * with it, and so it does when kh itself has to go at once.
 */
export async function runCommand(command: string, options: CommandOptions): Promise<CommandEnd> {
  const { env, signal, timeout, grace } = options;
  const child: ChildProcess = spawn('/bin/sh', ['-c', withUserUmask(command)], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { stdout, stderr } = child; // null where not even pipes could be had
  const kill = (name: NodeJS.Signals) => killGroup(child, name);
  const killNow = () => kill('SIGKILL');
  let timedOut = false;
  let killer: NodeJS.Timeout | undefined;
  const stop = () => {
    kill('SIGTERM');
    killer ??= setTimeout(killNow, grace);
  };
  const clock = setTimeout(() => {
    timedOut = true;
    stop();
  }, timeout);
  signal.addEventListener('abort', stop, { once: true });
  process.once('exit', killNow);
  try {
    if (child.pid !== undefined) options.onStart(child.pid);
    if (signal.aborted) stop();
    const closed = Promise.all([forEachLine(stdout, options), forEachLine(stderr, options)]);
    const end = await endOf(child);
    killNow();
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, LAST_OUTPUT).unref())]);
    return { ...end, timedOut };
  } finally {
    clearTimeout(clock);
    clearTimeout(killer);
    signal.removeEventListener('abort', stop);
    process.off('exit', killNow);
    stdout?.destroy();
    stderr?.destroy();
  }
}

/** In a shared store kh has another umask than the user. */
function withUserUmask(command: string): string {
  const umask = userUmask();
  return umask === undefined ? command : `umask ${umask.toString(8).padStart(4, '0')}\n${command}`;
}

function endOf(child: ChildProcess): Promise<Omit<CommandEnd, 'timedOut'>> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: undefined, signal: undefined, error }));
    child.once('exit', (code, signal) =>
      resolve({ exitCode: code ?? undefined, signal: signal ?? undefined }),
    );
  });
}

function killGroup({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch (error) {
    if (!isErrno(error, 'ESRCH', 'EPERM')) throw error;
  }
}

function forEachLine(stream: Readable | null, { onLine }: CommandOptions): Promise<void> {
  if (stream === null) return Promise.resolve();
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    rest += decoder.write(chunk);
    for (;;) {
      const newline = rest.indexOf('\n');
      if (newline === -1 && rest.length < LONGEST_LINE) return;
      const end = newline === -1 ? LONGEST_LINE : Math.min(newline, LONGEST_LINE);
      onLine(rest.slice(0, end));
      rest = rest.slice(end === newline ? end + 1 : end);
    }
  });
  return new Promise((resolve) => {
    stream.once('close', () => {
      if (rest !== '') onLine(rest);
      resolve();
    });
    stream.once('error', () => resolve());
  });
}
