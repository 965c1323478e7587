import { KhError } from '../core/errors';
import type { CallOptions } from './adb-device';
import { ConnectionLost } from './adb-socket';
import { brief, failError } from './fail-reply';
import { openSocket } from './open-socket';
import { describeAddress, type AdbServerAddress } from './server-address';
import { FailReply, readBlock, request } from './smart-socket';

/** Something asked of the server itself. */
export interface HostQuestion {
  address: AdbServerAddress;
  service: string;
  /** The device that the question is about. */
  serial?: string;
}

/**
 * Asks the server a question that has one answer.
 *
 * @throws KhError ADB_UNAVAILABLE, ADB_PROTOCOL, TIMEOUT, and as `failError`; or the signal's reason
 */
export async function askServer(question: HostQuestion, options: CallOptions): Promise<string> {
  const { address, service } = question;
  try {
    using socket = await openSocket(address, options, `waiting for the adb server (${brief(service)})`);
    await request(socket, service);
    return (await readBlock(socket)).toString('utf8');
  } catch (error) {
    throw error === options.signal.reason ? error : hostError(error, question);
  }
}

/** What a failure of a host service means: the connection to the server was lost, or it refused. */
export function hostError(error: unknown, { address, serial }: HostQuestion): unknown {
  if (error instanceof FailReply) return failError(error, serial);
  if (error instanceof ConnectionLost) return serverLost(address, serial, error);
  if (error instanceof KhError && serial !== undefined) return error.on(serial);
  return error;
}

/** The adb server went away in the middle of something. */
export function serverLost(address: AdbServerAddress, serial: string | undefined, cause: unknown): KhError {
  return new KhError('ADB_UNAVAILABLE', {
    serial,
    message: `the adb server at ${describeAddress(address)} closed the connection`,
    hint: 'It was stopped, or replaced by one of another version: two adb binaries on one machine do that to each other.',
    details: { address: describeAddress(address) },
    cause,
  });
}
