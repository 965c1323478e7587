import type { AdbServer } from '../adb/adb-server';
import { connectServer } from '../adb/connect-server';
import type { ListedDevice } from '../adb/device-list';
import { parseSocketSpec, socketSpec } from '../adb/server-address';
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

function sighting({ server, listed }: AttachedDevice, probe: DeviceProbe): DeviceSighting {
  const { serialno, kernel } = probe;
  const { serial, devpath } = listed;
  return { serialno, serial, devpath, server: socketSpec(server.address), bootId: kernel.bootId };
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
  const place = await placeOfClaim(device, claim, context);
  const holder = place?.attached.find((listed) => isHolder(listed, claim));
  if (place === undefined || holder?.state !== 'device') {
    return Date.now() - Date.parse(claim.seenAt) < MAY_COME_BACK ? 'different' : 'absent';
  }
  try {
    const adb = await place.server.open(holder, bounds(context));
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

/** What is attached where the holder of a name was seen; undefined where another server was, and does not answer now. */
async function placeOfClaim(
  { server }: AttachedDevice,
  claim: DeviceClaim,
  context: NamingContext,
): Promise<{ server: AdbServer; attached: ListedDevice[] } | undefined> {
  if (claim.server === undefined || claim.server === socketSpec(server.address)) {
    return { server, attached: await server.listDevices(bounds(context)) };
  }
  const { signal, times } = context;
  try {
    const address = parseSocketSpec(claim.server, 'the server of a claim');
    const other = await connectServer(address, { signal, connectTimeout: times.connect, start: false });
    return { server: other, attached: await other.listDevices({ signal, timeout: times.connect }) };
  } catch (error) {
    if (error instanceof KhError && !signal.aborted) return undefined;
    throw error;
  }
}

function isHolder(listed: ListedDevice, claim: DeviceClaim): boolean {
  return listed.serial === claim.serial && listed.devpath === claim.devpath;
}
