import { delay, withDeadline } from '../core/abort';
import { asKhError } from '../core/errors';
import type { AdbDevice } from './adb-device';
import type { AdbServer } from './adb-server';

const POLL = 100;

/**
 * The device again, after `restartAsRoot` said `restarting`: waits for its
 * transport to go, then for the same serial, on the same port, to be ready.
 * A device over TCP keeps its transport id: there adb's wait for the
 * disconnect ends when the transport is offline.
 *
 * @param bounds `timeout` in milliseconds, for all of it
 * @throws KhError TIMEOUT, ADB_UNAVAILABLE, ADB_PROTOCOL, DEVICE_LOST; or the signal's reason
 */
export async function reopenAfterRestart(
  server: AdbServer,
  device: AdbDevice,
  bounds: { signal: AbortSignal; timeout: number },
): Promise<AdbDevice> {
  try {
    return await withDeadline((signal) => reopen(server, device, signal), {
      signal: bounds.signal,
      milliseconds: bounds.timeout,
      what: 'waiting for the device to come back after adbd restarted as root',
    });
  } catch (error) {
    throw bounds.signal.aborted ? error : asKhError(error, device.serial);
  }
}

async function reopen(server: AdbServer, device: AdbDevice, signal: AbortSignal): Promise<AdbDevice> {
  await device.untilDisconnected(signal);
  for (;;) {
    const list = await server.listDevices({ signal });
    const back = list.find(
      ({ serial, devpath, state }) =>
        serial === device.serial && devpath === device.devpath && state === 'device',
    );
    if (back !== undefined) return server.open(back, { signal });
    await delay(POLL, signal);
  }
}
