import type { IpcNetConnectOpts, LookupFunction, TcpNetConnectOpts } from 'node:net';
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
  if (address.kind === 'local') return { path: address.path, port: 0 };
  const { host, port } = address;
  const patience = { autoSelectFamilyAttemptTimeout: ATTEMPT };
  return host === 'localhost'
    ? { host, port, lookup: lookupLoopback, ...patience }
    : { host, port, ...patience };
}

/**
 * Milliseconds that one of a host's addresses has to answer before the next is
 * tried. Node's 250 are over before a busy machine looks at the answer, and
 * kh would say that no server is there.
 */
const ATTEMPT = 2_000;

/** As adb does, without asking a resolver: IPv4 first, where its server listens. It saves 8 ms. */
const lookupLoopback: LookupFunction = (_host, { all }, found) => {
  if (all) found(null, LOOPBACK);
  else found(null, '127.0.0.1', 4);
};

const LOOPBACK = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

function unreachable(address: AdbServerAddress, cause: unknown): KhError {
  const errno = isNativeError(cause) && 'code' in cause ? String(cause.code) : undefined;
  const isUnknown = errno === 'ENOTFOUND' || errno === 'EAI_AGAIN';
  const message = isNativeError(cause) ? cause.message : 'no connection';
  const why = isUnknown
    ? 'the name of that host is not known here'
    : errno === 'ECONNREFUSED'
      ? 'connection refused'
      : message;
  return new KhError('ADB_UNAVAILABLE', {
    message: `no adb server at ${describeAddress(address)}: ${why}`,
    hint: isUnknown ? CHECK_NAME : START_ONE,
    details: { address: describeAddress(address), ...(errno === undefined ? {} : { errno }) },
    cause,
  });
}

const CHECK_NAME =
  'Check how it is written: in -H, the lab file, or ADB_SERVER_SOCKET and ANDROID_ADB_SERVER_ADDRESS of the environment.';
const START_ONE =
  'Is it running there? `adb start-server` starts one; a server for other hosts needs `adb -a nodaemon server`.';
