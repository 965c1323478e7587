import { spawn } from 'node:child_process';
import { withDeadline } from '../core/abort';
import { isErrno, KhError } from '../core/errors';
import { describeAddress, type AdbServerAddress } from './server-address';

export interface StartOptions {
  signal: AbortSignal;
  /** The adb program; by default `adb` on PATH. */
  adbPath?: string | undefined;
  /** Milliseconds that adb may take (default 20 s: it waits for the server to be up). */
  timeout?: number;
}

const START_TIMEOUT = 20_000;
const MOST_OUTPUT = 4096;

/**
 * Starts an adb server on this machine; it stays, as after `adb start-server`.
 *
 * @throws KhError ADB_MISSING without adb, ADB_UNAVAILABLE when it fails, TIMEOUT; or the signal's reason
 */
export async function startServer(address: AdbServerAddress, options: StartOptions): Promise<void> {
  const { signal, adbPath = 'adb', timeout: milliseconds = START_TIMEOUT } = options;
  await withDeadline((bounded) => runAdb(adbPath, address, bounded), {
    signal,
    milliseconds,
    what: `starting an adb server (${adbPath} start-server)`,
  });
}

function runAdb(adbPath: string, address: AdbServerAddress, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(adbPath, startArguments(address), {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: withoutServerVariables(process.env),
      signal,
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stderr.on('data', (chunk: Buffer) => {
      if (output.length < MOST_OUTPUT) output += chunk.toString('utf8');
    });
    child.on('error', (error) =>
      reject(signal.aborted ? signal.reason : spawnError(error, adbPath, address)),
    );
    // 'exit' and not 'close': the server that stays behind may hold our end of the pipe.
    child.on('exit', (code) => {
      child.stderr.destroy();
      if (code === 0) resolve();
      else reject(signal.aborted ? signal.reason : startError(address, output.trim() || `exit code ${code}`));
    });
  });
}

function startArguments(address: AdbServerAddress): string[] {
  return address.kind === 'tcp'
    ? ['-P', String(address.port), 'start-server']
    : ['-L', `localfilesystem:${address.path}`, 'start-server'];
}

/** The address is decided already; adb must not read another one from the environment. */
function withoutServerVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const rest = { ...env };
  delete rest['ADB_SERVER_SOCKET'];
  delete rest['ANDROID_ADB_SERVER_ADDRESS'];
  return rest;
}

function spawnError(cause: Error, adbPath: string, address: AdbServerAddress): KhError {
  if (!isErrno(cause, 'ENOENT', 'EACCES')) return startError(address, cause.message, cause);
  return new KhError('ADB_MISSING', {
    message: `no adb server runs at ${describeAddress(address)}, and "${adbPath}" to start one was not found`,
    hint: 'Install Android platform-tools (Debian: `apt install adb`), or name a server that runs with -H and -P.',
    cause,
  });
}

function startError(address: AdbServerAddress, why: string, cause?: unknown): KhError {
  return new KhError('ADB_UNAVAILABLE', {
    message: `an adb server could not be started at ${describeAddress(address)}: ${why}`,
    hint: 'Run `adb start-server` to see the whole story.',
    cause,
  });
}
