import { delay } from '../core/abort';
import { openSocket } from './open-socket';
import { parseDeviceList } from './device-list';
import { aboutDevice, type Pinned } from './device-service';
import { askServer, hostError } from './host-service';
import { readStatus, request } from './smart-socket';

/** Milliseconds between looks, on servers that cannot tell by themselves. */
const POLL = 200;

/**
 * Settles when the device's transport is gone, be it already.
 *
 * Servers from version 41 on know transport ids and tell when one goes;
 * older ones are asked for their list again and again.
 *
 * @throws KhError ADB_UNAVAILABLE, ADB_PROTOCOL; or the signal's reason
 */
export async function untilDisconnected(pinned: Pinned, signal: AbortSignal): Promise<void> {
  if (pinned.transportId === undefined) return pollUntilGone(pinned, signal);
  const { address, serial } = pinned;
  const service = aboutDevice(pinned, 'wait-for-any-disconnect');
  try {
    using socket = await openSocket(address, { signal }, 'waiting for the adb server');
    await request(socket, service);
    socket.stallTimeout = Infinity;
    await readStatus(socket, service);
  } catch (error) {
    throw error === signal.reason ? error : hostError(error, { address, service, serial });
  }
}

async function pollUntilGone({ address, serial }: Pinned, signal: AbortSignal): Promise<void> {
  for (;;) {
    const list = await askServer({ address, service: 'host:devices-l', serial }, { signal });
    if (!parseDeviceList(list).some((listed) => listed.serial === serial && listed.state === 'device'))
      return;
    await delay(POLL, signal);
  }
}
