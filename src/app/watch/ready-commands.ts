import { errorReport, KhError, type ErrorReport } from '../../core/errors';
import { humanDuration } from '../../core/human';
import { commandEnvironment, type ReadyWorkspace } from './command-environment';
import { createDeviceQueue } from './device-queue';
import { runCommand, type CommandEnd } from './run-command';
import type { Tell } from './watch-events';

export interface ReadyCommandOptions {
  /** For `sh -c`. */
  command: string;
  /** Milliseconds for one run of it. */
  timeout: number;
  /** How many may run at a time. */
  jobs: number;
  signal: AbortSignal;
  env: NodeJS.ProcessEnv;
  /** KH_HOME of the store. */
  home: string;
  tell: Tell;
  /** A line that the command has written. */
  onOutput: (name: string, line: string) => void;
  /** How one ended; `error` where it failed. */
  onEnd: (item: ReadyItem, error: ErrorReport | undefined) => void;
  /** One is over, and another may have begun. */
  afterEach: () => void;
}

export interface ReadyItem extends ReadyWorkspace {
  /** The device in the fleet. */
  key: string;
  /** Names the boot and the archive: the command runs once for each. */
  mark: string;
}

/** Milliseconds that a command has to end by itself once it is told to. */
const GRACE = 3_000;

/** The runs of `--exec`: one at a time for each device, `jobs` over all. */
export function createReadyCommands(options: ReadyCommandOptions) {
  const { signal, tell, onEnd } = options;
  const run = async (item: ReadyItem) => {
    const { serial, server } = item.device;
    const about = { server: server.name, serial };
    const { workspace } = item.result;
    const start = performance.now();
    const end = await runFor(item, options, (pid) =>
      tell({ type: 'exec.started', ...about, workspace, pid }),
    );
    const error = failureOf(serial, end, options.timeout);
    tell({
      type: 'exec.finished',
      ...about,
      workspace,
      milliseconds: Math.round(performance.now() - start),
      ...(end.exitCode === undefined ? {} : { exitCode: end.exitCode }),
      ...(end.signal === undefined ? {} : { signal: end.signal }),
      timedOut: end.timedOut,
      ...(error === undefined ? {} : { error }),
    });
    if (!signal.aborted) onEnd(item, error);
  };
  return createDeviceQueue<ReadyItem>(options.jobs, run, options.afterEach);
}

async function runFor(
  item: ReadyItem,
  { command, timeout, signal, env, home, onOutput }: ReadyCommandOptions,
  onStart: (pid: number) => void,
): Promise<CommandEnd> {
  try {
    return await runCommand(command, {
      env: commandEnvironment(item, { env, home }),
      signal,
      timeout,
      grace: GRACE,
      onStart,
      onLine: (line) => onOutput(item.device.name, line),
    });
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    return { exitCode: undefined, signal: undefined, timedOut: false, error };
  }
}

function failureOf(serial: string, end: CommandEnd, timeout: number): ErrorReport | undefined {
  const { exitCode, signal, timedOut, error: cause } = end;
  if (exitCode === 0 && !timedOut) return undefined;
  const how =
    cause !== undefined
      ? `could not be run: ${cause.message}`
      : timedOut
        ? `did not end within ${humanDuration(timeout)}, and was stopped`
        : signal !== undefined
          ? `was ended by ${signal}`
          : `ended with exit code ${exitCode}`;
  return errorReport(
    new KhError('EXEC_FAILED', {
      serial,
      message: `the command of --exec ${how}`,
      hint: 'What it said is on stderr, with the serial in front. It runs again when the device reboots or is connected anew.',
      details: { exitCode: exitCode ?? null, signal: signal ?? null, timedOut },
      cause,
    }),
  );
}
