import type { ListedDevice } from '../adb/device-list';
import { KhError } from '../core/errors';
import { probeDevice, type DeviceProbe } from '../device/probe';
import {
  claimDeviceName,
  findDeviceName,
  type DeviceClaim,
  type DeviceSighting,
} from '../store/device-claims';
import { bounds } from '../device/bounds';
import type { AttachedDevice, Context } from './context';

/**
 * The name of a device in the store: its own serial number, whichever way it
 * is connected; another one where two attached devices share that number, as
 * cheap ones do by the thousand.
 */
export async function nameDevice(
  device: AttachedDevice,
  probe: DeviceProbe,
  context: Context,
): Promise<string> {
  return claimDeviceName(context.store, sighting(device, probe), (claim) =>
    findHolder(device, claim, probe, context),
  );
}

/** The name that `nameDevice` gave this device before; undefined where it would be a new one. */
export async function knownName(
  device: AttachedDevice,
  probe: DeviceProbe,
  context: NamingContext,
): Promise<string | undefined> {
  return findDeviceName(context.store, sighting(device, probe), (claim) =>
    findHolder(device, claim, probe, context),
  );
}

type NamingContext = Omit<Context, 'limits'>;

function sighting({ listed }: AttachedDevice, { serialno, kernel }: DeviceProbe): DeviceSighting {
  return { serialno, serial: listed.serial, devpath: listed.devpath, bootId: kernel.bootId };
}

/** For so long after it took a name, a device that does not show may be restarting its adbd as root; in milliseconds. */
const MAY_COME_BACK = 30_000;

/** Whether the device that last claimed a name is attached besides `device`, and if so, whether it is the same phone. */
async function findHolder(
  device: AttachedDevice,
  claim: DeviceClaim,
  probe: DeviceProbe,
  context: NamingContext,
): Promise<'absent' | 'same' | 'different'> {
  const attached = await device.server.listDevices(bounds(context));
  const holder = attached.find((listed) => isHolder(listed, claim));
  if (holder?.state !== 'device') {
    return Date.now() - Date.parse(claim.seenAt) < MAY_COME_BACK ? 'different' : 'absent';
  }
  try {
    const adb = await device.server.open(holder, bounds(context));
    const other = await probeDevice({ adb, privilege: 'plain', root: false }, bounds(context));
    if (other.serialno !== probe.serialno) return 'absent';
    const { bootId } = probe.kernel;
    return bootId !== undefined && other.kernel.bootId === bootId ? 'same' : 'different';
  } catch (error) {
    // A holder that can't be asked may still be another phone: the names must differ.
    if (error instanceof KhError && !context.signal.aborted) return 'different';
    throw error;
  }
}

function isHolder(listed: ListedDevice, claim: DeviceClaim): boolean {
  return listed.serial === claim.serial && listed.devpath === claim.devpath;
}
