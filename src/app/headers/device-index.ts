import type { HeadersIndex } from '../../archive/index/index-file';
import type { PrivilegeChoice } from '../../device/privilege';
import { bounds } from '../../device/bounds';
import type { HeadersSource } from '../../device/headers-source';
import { probeDevice } from '../../device/probe';
import { findArchive } from '../../store/archives';
import type { AttachedDevice, Context } from '../context';
import { isCurrent, previousWorkspace } from '../current-workspace';
import { nameDevice } from '../name-device';
import { chunksOf } from '../obtain-archive';
import { locateArchive } from '../pull-headers';
import { verifyRelease, verifyTransfer } from '../verify-archive';
import { indexOfStored, knownIndex, makeIndex, type Look } from './headers-index';

/**
 * Looks into the headers of the kernel that a device runs.
 *
 * @returns what to do on each device, which throws as `indexOfDevice` and `look`
 */
export function lookOnDevice<T>(
  options: { privilege: PrivilegeChoice },
  look: Look<T>,
): (device: AttachedDevice, context: Context) => Promise<T> {
  return async (device, context) => {
    using index = await indexOfDevice(device, options, context);
    const { serial } = device.listed;
    const emit: Context['emit'] = (event) =>
      context.emit(event.type === 'warning' ? { serial, ...event } : event);
    return await look(index, { ...context, emit });
  };
}

/**
 * The index of the headers of the kernel that a device runs. They are found and
 * reached as for a pull, but the archive itself is not kept: it is transferred
 * where neither it nor its index is here.
 *
 * @throws KhError HEADERS_*, VERIFY_*, ARCHIVE_*, STORE_*, DEVICE_LOST, TIMEOUT; or the signal's reason
 */
async function indexOfDevice(
  device: AttachedDevice,
  options: { privilege: PrivilegeChoice },
  context: Context,
): Promise<HeadersIndex> {
  const { store, emit } = context;
  const { serial } = device.listed;
  const probe = await probeDevice({ adb: device.adb, privilege: 'plain', root: false }, bounds(context));
  const { release, machine } = probe.kernel;
  emit({ type: 'kernel.identified', serial, release, machine });
  const name = await nameDevice(device, probe, context);
  const workspace = await previousWorkspace(store, name, release);
  if (workspace !== undefined && (await isCurrent(store, workspace, probe))) {
    const { sha256 } = workspace.record.archive;
    emit({ type: 'archive.known', serial, sha256, by: 'same-boot' });
    return indexOfStored(sha256, context);
  }
  await using source = await locateArchive(device, name, probe, options, context);
  const index = (await knownFrom(source, context)) ?? (await received(source, context));
  try {
    verifyRelease(serial, release, index.release);
    return index;
  } catch (error) {
    index[Symbol.dispose]();
    throw error;
  }
}

/** What is here already under the md5 that the device computes. */
async function knownFrom(source: HeadersSource, context: Context): Promise<HeadersIndex | undefined> {
  const md5 = await source.deviceMd5();
  if (md5 === undefined) return undefined;
  const known = await knownIndex({ md5 }, context);
  if (known !== undefined) return known;
  const archive = await findArchive(context.store, { md5 });
  return archive && indexOfStored(archive.sha256, context);
}

function received(source: HeadersSource, context: Context): Promise<HeadersIndex> {
  const { serial } = source.access.adb;
  const start = performance.now();
  return makeIndex(
    chunksOf(source, context),
    context,
    async (written) => {
      const { sha256, md5, bytes } = written;
      const milliseconds = performance.now() - start;
      context.emit({ type: 'archive.received', serial, sha256, md5, bytes, milliseconds });
      await verifyTransfer(source, written);
    },
    (bytes) => context.emit({ type: 'pull.progress', serial, bytes, totalBytes: source.bytes ?? bytes }),
  );
}
