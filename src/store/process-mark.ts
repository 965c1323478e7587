import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isErrno } from '../core/errors';
import { diskName, shortHash } from './disk-name';

/**
 * A name on disk that tells which process it belongs to, and lets any other
 * process see whether that one still runs: `<host>~<boot>~<pid>~<started>~<random>`.
 *
 * `host` stands for the machine and the pid namespace (two containers with one
 * store see different pids), `boot` for its present boot, and `started` is the
 * process's start time in clock ticks, so that a reused pid is not taken for
 * its predecessor. Both are 0 where the platform does not tell (not Linux).
 */
export function newProcessMark(): string {
  return `${markPrefix()}~${randomBytes(6).toString('hex')}`;
}

/** The process behind a mark, as far as another process can know. */
export type ProcessState = 'running' | 'gone' | 'unknown';

/**
 * Whether the process that made a mark still runs. `unknown`: it is on another
 * host, its pid may have been reused, /proc hides it as another user's
 * (hidepid), or the name is no mark at all; age has to decide.
 */
export function processState(mark: string): ProcessState {
  const fields = MARK.exec(mark);
  const [, host, boot, pid, started] = fields ?? [];
  if (host !== hostMark() || pid === undefined) return 'unknown';
  if (boot !== bootMark()) return 'gone';
  const now = started === '0' ? undefined : startOf(pid);
  if (now !== undefined) return now === started ? 'running' : 'gone';
  return pidExists(Number(pid)) ? 'unknown' : 'gone';
}

/** "process 1234", and its host where that is another; for messages. */
export function describeMark(mark: string): string {
  const [, host, , pid] = MARK.exec(mark) ?? [];
  if (host === undefined || pid === undefined) return 'an unknown process';
  return `process ${pid}${host === hostMark() ? '' : ` on host ${host.replace(/~[0-9a-f]+$/, '')}`}`;
}

const MARK = /^(.+)~([0-9a-f]+)~(\d+)~(\d+)~[0-9a-f]+$/;

const once = <T>(make: () => T): (() => T) => {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
};

const hostMark = once(() => `${diskName(hostname())}~${shortHash(pidNamespace())}`);
const bootMark = once(() => shortOrZero(readOrEmpty('/proc/sys/kernel/random/boot_id').trim()));
const markPrefix = once(
  () => `${hostMark()}~${bootMark()}~${process.pid}~${startOf(String(process.pid)) ?? '0'}`,
);

function shortOrZero(text: string): string {
  return text === '' ? '0' : shortHash(text);
}

/**
 * Start time of a process, 'ended' for a zombie that waits for its parent;
 * undefined where nothing tells.
 *
 * @see Linux Documentation/filesystems/proc.rst, table 1-4: the name in
 * brackets may hold spaces and brackets, the state is field 3, the start field 22
 */
function startOf(pid: string): string | undefined {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : fields[19];
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs as someone else.
    return !isErrno(error, 'ESRCH');
  }
}
