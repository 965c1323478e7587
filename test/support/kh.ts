import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { Simulator } from '../../src/simulator/simulator';
import { schemaErrors, schemaOf } from './schemas';
import { tempFolder } from './temp-folder';
import type { TestUser } from './two-users';
import './to-exit-with';

const ROOT = resolve(__dirname, '../..');
const PROGRAM = join(ROOT, 'bin/run.js');
const LIMIT = 30_000;

export interface KhOptions {
  /** The lab whose adb server kh is pointed to; without one, a port where nothing listens. */
  lab?: Simulator;
  /** KH_HOME; a new empty folder when left out. */
  home?: string;
  cwd?: string;
  env?: Record<string, string>;
  /** Runs kh as another user; see `twoUsers`. */
  user?: TestUser;
  /** Gives kh a terminal for its stderr, by means of script(1); with `all` for stdout too, which has both then. */
  tty?: boolean | 'all';
  /** Nobody reads its stdout, as behind `| head` once that has seen enough. */
  unread?: boolean;
  /** Its stdout goes to a disk without room, as Linux has one in /dev/full. */
  full?: boolean;
  /** A file, or a pipe, in place of the test as the reader of its stdout. */
  stdoutTo?: string;
  /** Milliseconds after which kh is killed, and the run rejects. */
  timeoutMs?: number;
}

/** How a kh process ended. */
export interface KhRun {
  args: readonly string[];
  /** Null where a signal ended the process. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** KH_HOME of the run. */
  home: string;
  milliseconds: number;
  /** The document of `--json`. @throws SyntaxError where stdout holds none; Error where it is not as docs/schemas says */
  json(): unknown;
}

/** A kh process that runs. */
export interface KhProcess {
  readonly pid: number;
  readonly home: string;
  /** Settles when kh has written text that matches to stderr; rejects when kh ends first. */
  untilStderr(pattern: RegExp): Promise<void>;
  /** What it has written to stdout so far. */
  stdout(): string;
  /** Settles when `seen` does, asked whenever kh has written something; rejects when kh ends first. */
  untilStdout(seen: () => boolean): Promise<void>;
  /** Not with `tty`: there script(1) stands between. */
  send(signal: NodeJS.Signals): void;
  /** @throws Error when the time limit passed, with what kh said until then */
  readonly ended: Promise<KhRun>;
}

/** Runs the compiled kh to its end, in an environment of its own. */
export async function kh(args: readonly string[], options: KhOptions = {}): Promise<KhRun> {
  return (await startKh(args, options)).ended;
}

/** Starts the compiled kh. */
export async function startKh(args: readonly string[], options: KhOptions = {}): Promise<KhProcess> {
  if (!existsSync(join(ROOT, 'dist'))) throw new Error('kh is not compiled: npm run build');
  const folder = await tempFolder();
  const home = options.home ?? join(folder, 'home');
  const stdoutFile = join(folder, 'stdout');
  const env = { ...environment(options, folder, home), ...options.env };
  const [command, words] = commandFor(args, options, stdoutFile);
  const start = performance.now();
  const child = spawn(command, words, {
    cwd: options.cwd ?? folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.user && { uid: options.user.uid, gid: options.user.gid }),
  });
  if (options.unread) child.stdout.destroy();
  const output = collect(child);
  const ended = end(child, options.timeoutMs ?? LIMIT, output).then(async ([exitCode, signal]) => {
    const stdout = options.tty === true ? await readFile(stdoutFile, 'utf8') : output.stdout;
    const stderr = options.tty === true ? output.stdout : output.stderr;
    const milliseconds = Math.round(performance.now() - start);
    return {
      args,
      exitCode,
      signal,
      stdout,
      stderr,
      home,
      milliseconds,
      json: () => documentOf(args, stdout, stderr),
    };
  });
  ended.catch(() => undefined); // whoever awaits it still sees the failure
  return {
    pid: child.pid ?? 0,
    home,
    ended,
    send: (signal) => child.kill(signal),
    stdout: () => output.stdout,
    untilStderr: (pattern) => {
      const text = () => (options.tty ? output.stdout : output.stderr);
      return untilSeen(
        child,
        () => pattern.test(text()),
        () => `it said ${String(pattern)}:\n${text()}`,
      );
    },
    untilStdout: (seen) =>
      untilSeen(child, seen, () => `what was waited for:\n${output.stdout}\n--- stderr\n${output.stderr}`),
  };
}

/** No more than kh needs: what the developer's shell holds must not change a test. */
function environment({ lab }: KhOptions, folder: string, home: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: folder,
    LANG: 'C.UTF-8',
    KH_HOME: home,
    ANDROID_ADB_SERVER_ADDRESS: lab?.host ?? '127.0.0.1',
    ANDROID_ADB_SERVER_PORT: String(lab?.port ?? 1),
  };
}

function commandFor(
  args: readonly string[],
  { tty, full, stdoutTo, user }: KhOptions,
  stdoutFile: string,
): [string, string[]] {
  const words = [process.execPath, PROGRAM, ...args] as const;
  if (tty) return terminal(args, tty === 'all' ? undefined : stdoutFile);
  if (user) return ['sh', ['-c', `umask ${user.umask}; exec "$@"`, 'sh', ...words]];
  if (full) return ['sh', ['-c', 'exec "$@" >/dev/full', 'sh', ...words]];
  if (stdoutTo !== undefined) {
    return ['sh', ['-c', 'to=$1; shift; exec "$@" >"$to"', 'sh', stdoutTo, ...words]];
  }
  const [program, ...rest] = words;
  return [program, rest];
}

function terminal(args: readonly string[], stdoutFile?: string): [string, string[]] {
  const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;
  const words = [process.execPath, PROGRAM, ...args].map(quote).join(' ');
  const to = stdoutFile === undefined ? '' : ` >${quote(stdoutFile)}`;
  return ['script', ['-qefc', `exec ${words}${to}`, '/dev/null']];
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

function collect(child: Child): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  return output;
}

function end(
  child: Child,
  limit: number,
  output: { stdout: string; stderr: string },
): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(
        new Error(
          `kh still ran after ${limit} ms\n--- stderr\n${output.stderr}\n--- stdout\n${output.stdout}`,
        ),
      );
    }, limit);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve([code, signal]);
    });
  });
}

function untilSeen(child: Child, seen: () => boolean, what: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (!seen()) return;
      child.stderr.off('data', look);
      child.stdout.off('data', look);
      resolve();
    };
    child.stderr.on('data', look);
    child.stdout.on('data', look);
    child.once('close', () => reject(new Error(`kh ended before ${what()}`)));
    look();
  });
}

function documentOf(args: readonly string[], stdout: string, stderr: string): unknown {
  const document = parseJson(stdout, stderr);
  const name = schemaOf(args);
  const errors = schemaErrors(name, document);
  if (errors.length === 0) return document;
  throw new Error(`not as docs/schemas/${name}.json says:\n${errors.join('\n')}\n--- stdout\n${stdout}`);
}

function parseJson(stdout: string, stderr: string): unknown {
  try {
    return JSON.parse(stdout);
  } catch (cause) {
    throw new SyntaxError(`stdout is no JSON:\n${stdout}\n--- stderr\n${stderr}`, { cause });
  }
}
