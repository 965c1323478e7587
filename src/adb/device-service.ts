import { KhError } from '../core/errors';
import type { CallOptions } from './adb-device';
import { ConnectionLost, type AdbSocket } from './adb-socket';
import { parseDeviceList } from './device-list';
import { brief, failError } from './fail-reply';
import { askServer, serverLost } from './host-service';
import { openSocket } from './open-socket';
import type { AdbServerAddress } from './server-address';
import { FailReply, request } from './smart-socket';

/** A device, and the server through which it is reached. */
export interface Pinned {
  address: AdbServerAddress;
  serial: string;
  /** Undefined on servers that have no transport ids: services are then addressed by serial. */
  transportId: string | undefined;
}

/** Milliseconds for finding out, after a connection broke, what is gone. */
const POST_MORTEM = 1_000;

/** A host service about one device, addressed as it is pinned: `host-transport-id:7:features`. */
export function aboutDevice({ serial, transportId }: Pinned, question: string): string {
  return transportId === undefined
    ? `host-serial:${serial}:${question}`
    : `host-transport-id:${transportId}:${question}`;
}

/**
 * Opens a service of the device (`shell:…`, `exec:…`, `sync:`, …) on a connection of its own.
 *
 * Its errors, and those of the work on the socket, go through `deviceError`.
 */
export async function openService(pinned: Pinned, service: string, options: CallOptions): Promise<AdbSocket> {
  const { address, serial, transportId } = pinned;
  const socket = await openSocket(address, options, doing(service, options));
  try {
    const transport = transportId === undefined ? `transport:${serial}` : `transport-id:${transportId}`;
    await request(socket, `host:${transport}`);
    await request(socket, service);
    return socket;
  } catch (error) {
    socket[Symbol.dispose]();
    throw error;
  }
}

/** Opens a service, does `work` on it and closes it. Throws as `deviceError` says. */
export async function withService<T>(
  pinned: Pinned,
  service: string,
  options: CallOptions,
  work: (socket: AdbSocket) => Promise<T>,
): Promise<T> {
  try {
    using socket = await openService(pinned, service, options);
    return await work(socket);
  } catch (error) {
    throw await deviceError(error, pinned, service, options);
  }
}

/** `withService` for work that gives its result piece by piece. */
export async function* streamService<T>(
  pinned: Pinned,
  service: string,
  options: CallOptions,
  work: (socket: AdbSocket) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  try {
    using socket = await openService(pinned, service, options);
    yield* work(socket);
  } catch (error) {
    throw await deviceError(error, pinned, service, options);
  }
}

/**
 * What a failure of a device service means. A connection that ends early, or
 * a service refused with "closed", looks the same whether the device, the
 * server or only the service went: the server is asked.
 *
 * @returns DEVICE_LOST, ADB_UNAVAILABLE, ADB_PROTOCOL, an error of the device's state; or what was thrown,
 *   with the serial where it is a KhError
 */
export async function deviceError(
  error: unknown,
  pinned: Pinned,
  service: string,
  options: CallOptions,
): Promise<unknown> {
  const { signal } = options;
  if (signal.aborted && error === signal.reason) return inTheMidst(error, pinned.serial, service, options);
  if (error instanceof KhError) return error.on(pinned.serial);
  const refused = error instanceof FailReply;
  if (refused && error.text !== 'closed') return failError(error, pinned.serial);
  if (!refused && !(error instanceof ConnectionLost)) return error;
  const presence = await findPresence(pinned, signal);
  if (signal.aborted) return signal.reason;
  if (presence === 'server-gone') return serverLost(pinned.address, pinned.serial, error);
  if (refused && presence === 'attached') return failError(error, pinned.serial);
  return new KhError('DEVICE_LOST', {
    serial: pinned.serial,
    message: `lost while ${doing(service, options)}`,
    hint:
      presence === 'gone'
        ? 'It was unplugged, or it restarted. `kh devices` shows when it is back.'
        : 'adb still lists it: its adbd may have restarted, or the cable is bad. Try again.',
    cause: error,
  });
}

/** Where the time for the whole device is up, what took so long is this call. */
function inTheMidst(reason: unknown, serial: string, service: string, options: CallOptions): unknown {
  if (!(reason instanceof KhError) || reason.code !== 'TIMEOUT') return reason;
  const message = `${reason.reason}, while ${doing(service, options)}`;
  return new KhError('TIMEOUT', {
    serial,
    message,
    hint: reason.hint,
    details: reason.details,
    cause: reason,
  });
}

/** What goes on, in words that follow "while" or "timed out after 5 s". */
function doing(service: string, { purpose }: CallOptions): string {
  return purpose ?? `waiting for the device (${brief(service)})`;
}

async function findPresence(
  { address, serial, transportId }: Pinned,
  signal: AbortSignal,
): Promise<'attached' | 'gone' | 'server-gone'> {
  try {
    const list = await askServer({ address, service: 'host:devices-l' }, { signal, timeout: POST_MORTEM });
    const found = parseDeviceList(list).some(
      (listed) =>
        listed.state !== 'offline' &&
        (transportId === undefined ? listed.serial === serial : listed.transportId === transportId),
    );
    return found ? 'attached' : 'gone';
  } catch (error) {
    // Only a server that cannot be reached tells something: one that is slow, or answers strangely, is still there.
    const unreachable = error instanceof KhError && error.details?.['errno'] !== undefined;
    return unreachable ? 'server-gone' : 'attached';
  }
}
