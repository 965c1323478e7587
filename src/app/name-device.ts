import type { ListedDevice } from '../adb/device-list';
import { KhError } from '../core/errors';
import { probeDevice, type DeviceProbe } from '../device/probe';
import { claimDeviceName, type DeviceClaim } from '../store/device-claims';
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
  const { serial, devpath } = device.listed;
  return claimDeviceName(
    context.store,
    {
      serialno: probe.serialno,
      serial,
      ...(devpath === undefined ? {} : { devpath }),
      bootId: probe.kernel.bootId,
    },
    (claim) => findHolder(device, claim, probe, context),
  );
}

/** For so long after it took a name, a device that does not show may be restarting its adbd as root; in milliseconds. */
const MAY_COME_BACK = 30_000;

/** Whether the device that last claimed a name is attached besides `device`, and if so, whether it is the same phone. */
async function findHolder(
  device: AttachedDevice,
  claim: DeviceClaim,
  probe: DeviceProbe,
  context: Context,
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
