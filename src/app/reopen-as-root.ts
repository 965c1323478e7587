import type { AdbServer } from '../adb/adb-server';
import type { ListedDevice } from '../adb/device-list';
import { delay } from '../core/abort';
import { KhError } from '../core/errors';
import { outputText } from '../device/access';
import { bounds } from '../device/bounds';
import type { AttachedDevice, Context } from './context';

/** Milliseconds for a device that was lost to show up again, and between two looks. */
const PATIENCE = 3_000;
const POLL = 100;

/**
 * The device again, where it was lost because someone else, another kh most
 * likely, had its adbd restarted as root: it is back at once, and is root.
 * One that was lost in another way stays lost.
 *
 * @param lost what the work on it threw
 */
export async function reopenAsRoot(
  server: AdbServer,
  listed: ListedDevice,
  lost: unknown,
  context: Context,
): Promise<AttachedDevice | undefined> {
  const { signal } = context;
  const isLoss = lost instanceof KhError && ['DEVICE_LOST', 'DEVICE_OFFLINE'].includes(lost.code);
  const wasReady = listed.state === 'device';
  if (!isLoss || !wasReady || signal.aborted) return undefined;
  try {
    const back = await findAgain(server, listed, context);
    if (back === undefined) return undefined;
    const adb = await server.open(back, bounds(context));
    const uid = outputText(await adb.run('id -u', bounds(context, 'asking whether adbd is root')));
    return uid === '0' ? { server, listed: back, adb } : undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof KhError) return undefined; // How it was lost first is what counts.
    throw error;
  }
}

/** The same serial at the same port under a new transport; undefined where the old one is still there, or none comes. */
async function findAgain(
  server: AdbServer,
  { serial, devpath, transportId }: ListedDevice,
  context: Context,
): Promise<ListedDevice | undefined> {
  for (let waited = 0; waited < PATIENCE; waited += POLL) {
    const attached = await server.listDevices(bounds(context));
    const same = attached.find((other) => other.serial === serial && other.devpath === devpath);
    if (same?.state === 'device') return same.transportId === transportId ? undefined : same;
    await delay(POLL, context.signal);
  }
  return undefined;
}
