import type { CallOptions } from './adb-device';
import { parseDeviceList, type ListedDevice } from './device-list';
import { askServer, hostError } from './host-service';
import { openSocket } from './open-socket';
import type { AdbServerAddress } from './server-address';
import { FailReply, readBlock, request } from './smart-socket';

/** What is attached, in every state. Throws as `askServer`. */
export async function listDevices(address: AdbServerAddress, options: CallOptions): Promise<ListedDevice[]> {
  return parseDeviceList(await askServer({ address, service: 'host:devices-l' }, options));
}

/**
 * The list at present, and again at each change, until the signal fires.
 * Servers that cannot track with details tell only that something changed;
 * the list is then asked for.
 *
 * @throws KhError ADB_UNAVAILABLE when the server goes, ADB_PROTOCOL, TIMEOUT
 */
export async function* trackDevices(
  address: AdbServerAddress,
  options: CallOptions,
): AsyncGenerator<ListedDevice[], void, undefined> {
  try {
    yield* track(address, options);
  } catch (error) {
    if (options.signal.aborted) return;
    throw hostError(error, { address, service: 'host:track-devices' });
  }
}

async function* track(
  address: AdbServerAddress,
  options: CallOptions,
): AsyncGenerator<ListedDevice[], void, undefined> {
  try {
    for await (const block of blocks(address, 'host:track-devices-l', options)) {
      yield parseDeviceList(block);
    }
  } catch (error) {
    if (!(error instanceof FailReply)) throw error;
    const changes = blocks(address, 'host:track-devices', options);
    for (;;) {
      await changes.next();
      yield await listDevices(address, options);
    }
  }
}

async function* blocks(
  address: AdbServerAddress,
  service: string,
  options: CallOptions,
): AsyncGenerator<string, never, undefined> {
  using socket = await openSocket(address, options, 'waiting for the adb server');
  await request(socket, service);
  for (;;) {
    const block = await readBlock(socket);
    socket.stallTimeout = Infinity;
    yield block.toString('utf8');
  }
}
