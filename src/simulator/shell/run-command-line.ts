import type { SimulatedDevice } from '../simulated-device';
import { ArithmeticError } from './arithmetic';
import { ExpansionError } from './expand-words';
import { parseScript } from './parse-script';
import { ScriptSyntaxError } from './script-reader';
import { runSubshell, Shell, SHELL_PATH, type Streams } from './shell';

export interface CommandLineContext extends Streams {
  device: SimulatedDevice;
  uid: number;
  /** Fires when the client has left: the shell ends. */
  signal: AbortSignal;
}

/**
 * Runs a command line as a device's `sh -c` would.
 *
 * @returns its exit status
 * @throws the signal's reason, and whatever writing to the streams throws
 */
export async function runCommandLine(commandLine: string, context: CommandLineContext): Promise<number> {
  const { device, uid, signal, stdin, stdout, stderr } = context;
  return runScript(new Shell(device, uid, signal), commandLine, { stdin, stdout, stderr });
}

/** Runs the text of a script in a shell that was made for it. */
export async function runScript(shell: Shell, text: string, streams: Streams): Promise<number> {
  try {
    return await runSubshell(shell, parseScript(text), streams);
  } catch (error) {
    const status = STATUS.find(([kind]) => error instanceof kind)?.[1];
    if (status === undefined || !(error instanceof Error)) throw error;
    await streams.stderr.write(Buffer.from(`${SHELL_PATH}: ${error.message}\n`));
    return status;
  }
}

const STATUS = [
  [ScriptSyntaxError, 1],
  [ExpansionError, 1],
  [ArithmeticError, 1],
  [RangeError, 1],
] as const;
