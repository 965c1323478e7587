import { KhError } from '../core/errors';
import { TIME_LIMITS } from '../core/limits';
import type { AdbServer } from './adb-server';
import { askServer } from './host-service';
import { openDevice } from './open-device';
import { describeAddress, isLocalAddress, type AdbServerAddress } from './server-address';
import { garbage } from './smart-socket';
import { startServer } from './start-server';
import { listDevices, trackDevices } from './track-devices';

export interface ConnectOptions {
  signal: AbortSignal;
  /** Milliseconds for the server's first answer (default `TIME_LIMITS.connect`). */
  connectTimeout?: number;
  /** Whether a server may be started where none runs and the address is on this machine (by default it may). */
  start?: boolean;
  /** The adb program to start a server with; by default `adb` on PATH. */
  adbPath?: string;
}

/**
 * Finds the adb server, and starts one where none runs, the address is on this machine, and `start` allows it.
 *
 * @throws KhError ADB_UNAVAILABLE, ADB_MISSING, ADB_PROTOCOL, TIMEOUT; or the signal's reason
 */
export async function connectServer(address: AdbServerAddress, options: ConnectOptions): Promise<AdbServer> {
  const version = await askVersion(address, options).catch(async (error: unknown) => {
    if (options.start === false || !isLocalAddress(address) || !isNotRunning(error)) throw error;
    await startServer(address, options);
    return askVersion(address, options);
  });
  return {
    address,
    version,
    listDevices: (call) => listDevices(address, call),
    trackDevices: (call) => trackDevices(address, call),
    open: (listed, call) => openDevice(address, listed, call),
  };
}

/** Refused, or no such socket file: nothing listens, as opposed to something that does not answer. */
function isNotRunning(error: unknown): boolean {
  if (!(error instanceof KhError) || error.code !== 'ADB_UNAVAILABLE') return false;
  const errno = error.details?.['errno'];
  return errno === 'ECONNREFUSED' || errno === 'ENOENT';
}

async function askVersion(address: AdbServerAddress, options: ConnectOptions): Promise<number> {
  const { signal, connectTimeout: timeout = TIME_LIMITS.connect } = options;
  try {
    const answer = await askServer({ address, service: 'host:version' }, { signal, timeout });
    if (!/^[0-9a-f]{1,8}$/i.test(answer)) throw garbage(`"${answer}" where a version was due`);
    return Number.parseInt(answer, 16);
  } catch (error) {
    if (error instanceof KhError && error.code === 'TIMEOUT' && !signal.aborted)
      throw silent(address, timeout, error);
    throw error;
  }
}

function silent(address: AdbServerAddress, timeout: number, cause: KhError): KhError {
  return new KhError('ADB_UNAVAILABLE', {
    message: `no answer from an adb server at ${describeAddress(address)} within ${timeout / 1000} s`,
    hint: 'The address may be a gateway (Docker, WSL, ssh -L) with no adb server behind it.',
    details: { address: describeAddress(address) },
    cause,
  });
}
