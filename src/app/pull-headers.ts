import { reopenAfterRestart } from '../adb/reopen';
import type { HeadersOrigin, KnownBy, Privilege, Verdict } from '../core/events';
import { locateHeaders, type HeadersSource } from '../device/headers-source';
import { readKernelConfig } from '../device/kernel-config';
import type { PrivilegeChoice } from '../device/privilege';
import { probeDevice, type DeviceProbe } from '../device/probe';
import { readProperties } from '../device/properties';
import { enterModuleUse } from '../store/module-ledger';
import { readWorkspace, writeWorkspace, type WorkspaceRecord } from '../store/workspaces';
import { bounds, type AttachedDevice, type Context } from './context';
import { nameDevice } from './name-device';
import { obtainArchive, type ObtainedArchive } from './obtain-archive';
import { openManifest, type OpenManifest } from './open-manifest';
import { currentWorkspace } from './current-workspace';
import { KH_VERSION } from './version';

export interface PullOptions {
  privilege: PrivilegeChoice;
  /** The manifest to check against. */
  manifestPath?: string;
  /** Fail where no manifest names this kernel's archive. */
  requireManifest: boolean;
  /** Transfer and extract again, whatever is here already. */
  force: boolean;
}

/** A workspace that is ready, and how it came to be. */
export interface PulledHeaders {
  workspace: string;
  /** The extracted tree: `include/` and `arch/` are in it. */
  headers: string;
  /** The name of the device's folder in the store. */
  device: string;
  release: string;
  machine: string;
  arch: string;
  bytes: number;
  md5: string;
  sha256: string;
  entries: number;
  danglingLinks: number;
  origin: HeadersOrigin;
  /** With which rights the archive was read; absent where nothing was read. */
  privilege?: Privilege;
  /** Whether bytes were transferred; if not, `knownBy` says how kh knew them. */
  transferred: boolean;
  knownBy?: KnownBy;
  verdict: Verdict;
}

/**
 * The main job: finds the archive on the device, pulls it, verifies it, and
 * extracts it into the workspace of this device and this kernel.
 *
 * A kernel whose archive is in the store already costs no transfer; one that
 * has not rebooted since costs one question.
 *
 * @throws KhError HEADERS_*, VERIFY_*, MANIFEST_UNUSABLE, ARCHIVE_*, STORE_*, DEVICE_LOST, TIMEOUT; or the signal's reason
 */
export async function pullHeaders(
  device: AttachedDevice,
  options: PullOptions,
  context: Context,
): Promise<PulledHeaders> {
  const manifest = await openManifest(options);
  const probe = await probeDevice({ adb: device.adb, privilege: 'plain', root: false }, bounds(context));
  const { release, machine } = probe.kernel;
  context.emit({ type: 'kernel.identified', serial: device.adb.serial, release, machine });
  const name = await nameDevice(device, probe, context);
  const current = options.force ? undefined : await currentWorkspace(context.store, name, probe);
  if (current !== undefined) return reuseWorkspace(device, current, manifest, context);

  await using source = await locateHeaders(
    device.adb,
    probe,
    {
      privilege: options.privilege,
      reopen: (adb) =>
        reopenAfterRestart(device.server, adb, { signal: context.signal, timeout: context.times.settle }),
      enterModuleUse: (load) =>
        enterModuleUse(context.store, { device: name, bootId: probe.kernel.bootId ?? 'unknown-boot' }, load),
    },
    context,
  );
  const aside = readAside(source, context);
  const obtained = await obtainArchive(source, probe.kernel, { manifest, force: options.force }, context);
  const { properties, config } = await aside;
  const record = workspaceRecord(device, name, probe, source, obtained, properties);
  const workspace = await writeWorkspace(context.store, record, config === undefined ? {} : { config });
  return ready(device, workspace, context, {
    privilege: source.access.privilege,
    transferred: obtained.knownBy === undefined,
    ...(obtained.knownBy === undefined ? {} : { knownBy: obtained.knownBy }),
  });
}

/** Asked while the archive flows. */
async function readAside(source: HeadersSource, context: Context) {
  const both = Promise.all([
    readProperties(source.access, bounds(context)),
    readKernelConfig(source.access, bounds(context)),
  ]);
  both.catch(() => undefined); // the pull itself may fail first, and its reason is the better one
  const [properties, config] = await both;
  return { properties, config };
}
