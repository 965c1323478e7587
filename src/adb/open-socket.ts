import type { IpcNetConnectOpts, TcpNetConnectOpts } from 'node:net';
import { isNativeError } from 'node:util/types';
import Connection from '@devicefarmer/adbkit/dist/src/adb/connection';
import { KhError } from '../core/errors';
import type { CallOptions } from './adb-device';
import { AdbSocket, ConnectionLost } from './adb-socket';
import { describeAddress, type AdbServerAddress } from './server-address';

/** adbkit's connection, but for its way of starting a server: for a remote host too, and with no time limit. */
class PlainConnection extends Connection {
  override startServer(): never {
    throw Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' });
  }
}

/**
 * Connects to the adb server, for one request.
 *
 * @param what completes "timed out after 5 s …"
 * @throws KhError ADB_UNAVAILABLE with `details.errno` when nothing answers there; TIMEOUT; or the signal's reason
 */
export async function openSocket(
  address: AdbServerAddress,
  options: CallOptions,
  what: string,
): Promise<AdbSocket> {
  options.signal.throwIfAborted();
  const connection = new PlainConnection(endpoint(address));
  // adbkit repeats socket errors as its own, which end the process where nobody listens; AdbSocket has them.
  connection.on('error', () => undefined);
  const connecting = connection.connect();
  const socket = new AdbSocket(connection.socket, options, what);
  try {
    await socket.connected(connecting);
    return socket;
  } catch (error) {
    socket[Symbol.dispose]();
    throw error instanceof ConnectionLost ? unreachable(address, error.cause) : error;
  }
}

/** adbkit hands it to net.connect, which goes by the path where there is one; adbkit's type knows of ports only. */
function endpoint(address: AdbServerAddress): TcpNetConnectOpts & Partial<IpcNetConnectOpts> {
  return address.kind === 'tcp'
    ? { host: address.host, port: address.port }
    : { path: address.path, port: 0 };
}

function unreachable(address: AdbServerAddress, cause: unknown): KhError {
  const errno = isNativeError(cause) && 'code' in cause ? String(cause.code) : undefined;
  const why =
    errno === 'ECONNREFUSED' ? 'connection refused' : isNativeError(cause) ? cause.message : 'no connection';
  return new KhError('ADB_UNAVAILABLE', {
    message: `no adb server at ${describeAddress(address)}: ${why}`,
    hint: 'Is it running there? `adb start-server` starts one; a server for other hosts needs `adb -a nodaemon server`.',
    details: { address: describeAddress(address), ...(errno === undefined ? {} : { errno }) },
    cause,
  });
}
