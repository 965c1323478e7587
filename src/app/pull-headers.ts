import { isDeepStrictEqual } from 'node:util';
import type { KnownBy, Privilege, Verdict } from '../core/events';
import { locateHeaders, type HeadersSource } from '../device/headers-source';
import { readKernelConfig } from '../device/kernel-config';
import type { PrivilegeChoice } from '../device/privilege';
import { probeDevice, type DeviceProbe } from '../device/probe';
import { readProperties, type DeviceProperties } from '../device/properties';
import { enterModuleUse } from '../store/module-ledger';
import { markWorkspaceUsed, writeWorkspace, type Workspace, type WorkspaceRecord } from '../store/workspaces';
import { bounds } from '../device/bounds';
import type { AttachedDevice, Context } from './context';
import { isCurrent, previousWorkspace } from './current-workspace';
import { nameDevice } from './name-device';
import { obtainArchive, type ObtainedArchive } from './obtain-archive';
import { checkManifest, openManifest, type ManifestOptions, type ManifestRule } from './open-manifest';
import { reopening } from './reopening';
import { khVersion } from './version';

export interface PullOptions extends ManifestOptions {
  privilege: PrivilegeChoice;
  /** Transfer and extract again, whatever is here already. */
  force: boolean;
}

/** A workspace that is ready, and how it came to be. */
export interface PulledHeaders {
  workspace: string;
  /** The extracted tree: `include/` and `arch/` are in it. */
  headers: string;
  /** The name of the device in the store. */
  device: string;
  release: string;
  /** `uname -v`: the build's number and time. */
  version: string;
  machine: string;
  arch: string;
  /** Tells this boot of the device from all others; absent where it can't be read. */
  bootId?: string;
  /** Of the archive. */
  bytes: number;
  md5: string;
  sha256: string;
  /** The archive with the kernel's build files, where one was imported for these headers. */
  kernelBuild?: { sha256: string; md5: string; bytes: number };
  /** Links in the tree that lead nowhere. */
  danglingLinks: number;
  origin: WorkspaceRecord['headers']['origin'];
  /** With which rights the archive was reached; absent where the device was not asked for it. */
  privilege?: Privilege;
  /** Whether bytes were transferred; where not, `knownBy` says how kh knew them. */
  transferred: boolean;
  knownBy?: KnownBy;
  /** Whether the workspace is new, or holds another archive than before. */
  changed: boolean;
  verdict: Verdict;
}

/**
 * The main job: finds the archive on the device, pulls it, verifies it, and
 * extracts it into the workspace of this device and this kernel.
 *
 * A kernel whose archive is in the store costs no transfer; one that has not
 * rebooted since its last pull costs one question.
 *
 * @throws KhError HEADERS_*, VERIFY_*, MANIFEST_*, ARCHIVE_*, STORE_*, DEVICE_LOST, TIMEOUT; or the signal's reason
 */
export async function pullHeaders(
  device: AttachedDevice,
  options: PullOptions,
  context: Context,
): Promise<PulledHeaders> {
  const rule = await openManifest(options);
  const probe = await probeDevice({ adb: device.adb, privilege: 'plain', root: false }, bounds(context));
  const { release, machine } = probe.kernel;
  context.emit({ type: 'kernel.identified', serial: device.listed.serial, release, machine });
  const name = await nameDevice(device, probe, context);
  const previous = await previousWorkspace(context.store, name, release);
  if (previous !== undefined && !options.force && (await isCurrent(context.store, previous, probe))) {
    return reuse(device, previous, probe, rule, context);
  }

  await using source = await locateArchive(device, name, probe, options, context);
  const aside = askAside(source, context);
  const obtained = await obtainArchive(source, probe.kernel, { ...rule, force: options.force }, context);
  const { properties, config } = await aside;
  const record = describe(device, name, probe, source, obtained, properties, previous);
  const workspace = await writeWorkspace(context.store, record, config === undefined ? {} : { config });
  return ready(device, workspace, context, {
    privilege: source.access.privilege,
    changed: previous?.record.archive.sha256 !== record.archive.sha256,
    ...(obtained.knownBy === undefined ? {} : { knownBy: obtained.knownBy }),
  });
}

/** Finds the archive of a device, and has the right to read it. Throws as `locateHeaders`. */
export function locateArchive(
  { server, adb }: AttachedDevice,
  name: string,
  probe: DeviceProbe,
  { privilege }: Pick<PullOptions, 'privilege'>,
  context: Context,
): Promise<HeadersSource> {
  const { store } = context;
  const bootId = probe.kernel.bootId ?? 'unknown-boot';
  return locateHeaders(
    adb,
    probe,
    {
      privilege,
      reopen: reopening(server, context),
      enterModuleUse: (load) => enterModuleUse(store, { device: name, bootId }, load),
    },
    context,
  );
}

/** What else the workspace holds, asked for while the archive flows. */
function askAside(
  { access }: HeadersSource,
  context: Context,
): Promise<{ properties: DeviceProperties; config: Buffer | undefined }> {
  const both = Promise.all([
    readProperties(access, bounds(context)),
    readKernelConfig(access, bounds(context)),
  ]).then(([properties, config]) => ({ properties, config }));
  both.catch(() => undefined); // where the pull fails too, its reason is the better one
  return both;
}

/** Nothing to ask the device; but the manifest may have changed since. */
async function reuse(
  device: AttachedDevice,
  workspace: Workspace,
  { kernel }: DeviceProbe,
  rule: ManifestRule,
  context: Context,
): Promise<PulledHeaders> {
  const { record } = workspace;
  const { archive, verdict } = record;
  const { serial } = device.listed;
  context.emit({ type: 'archive.known', serial, sha256: archive.sha256, by: 'same-boot' });
  const warn = (message: string) => context.emit({ type: 'warning', serial, message });
  const checked = checkManifest(rule, kernel, archive, { warn });
  const now: WorkspaceRecord = {
    ...record,
    device: { ...record.device, serials: withLatest(record.device.serials, serial) },
    verdict: rule.manifest === undefined ? verdict : withManifest(verdict, checked),
  };
  const unchanged = isDeepStrictEqual(now, record);
  if (unchanged) await markWorkspaceUsed(workspace.path);
  const current = unchanged ? workspace : await writeWorkspace(context.store, now);
  return ready(device, current, context, { knownBy: 'same-boot', changed: false });
}

/** A verdict with what a manifest says now in place of what one said before. */
function withManifest(verdict: Verdict, checked: Verdict['manifest']): Verdict {
  const others = verdict.checks.filter((check) => check !== 'manifest');
  if (checked === undefined) return { trust: 'unverified', checks: others };
  return { trust: 'trusted', checks: [...others, 'manifest'], manifest: checked };
}

function describe(
  device: AttachedDevice,
  name: string,
  { kernel, serialno }: DeviceProbe,
  source: HeadersSource,
  { archive, verdict }: ObtainedArchive,
  { model, product, androidVersion }: DeviceProperties,
  previous: Workspace | undefined,
): WorkspaceRecord {
  const now = new Date().toISOString();
  const { serial } = device.listed;
  const { release, version, machine, arch, bootId } = kernel;
  const { sha256, md5, bytes } = archive;
  const same = previous?.record.archive.sha256 === sha256 ? previous.record : undefined;
  return {
    device: {
      name,
      serialno,
      serials: withLatest(previous?.record.device.serials ?? [], serial),
      ...(model === undefined ? {} : { model }),
      ...(product === undefined ? {} : { product }),
      ...(androidVersion === undefined ? {} : { androidVersion }),
    },
    kernel: { release, version, machine, arch, ...(bootId === undefined ? {} : { bootId }) },
    headers: { path: source.path, origin: source.origin, bytes },
    archive: { sha256, md5, bytes },
    ...(same?.kernelBuild && { kernelBuild: same.kernelBuild }),
    verdict,
    danglingLinks: archive.danglingLinks.length,
    pulledAt: same?.pulledAt ?? now,
    checkedAt: now,
    kh: khVersion(),
  };
}

/** The serials that a device was seen under, the latest last, and no more than ten. */
function withLatest(serials: string[], latest: string): string[] {
  return [...serials.filter((other) => other !== latest).slice(-9), latest];
}

function ready(
  device: AttachedDevice,
  { path, headersPath, record }: Workspace,
  { emit }: Context,
  how: Pick<PulledHeaders, 'privilege' | 'knownBy' | 'changed'>,
): PulledHeaders {
  const { kernel, archive, kernelBuild, verdict } = record;
  emit({
    type: 'headers.ready',
    serial: device.listed.serial,
    release: kernel.release,
    workspace: path,
    verdict,
  });
  return {
    workspace: path,
    headers: headersPath,
    device: record.device.name,
    release: kernel.release,
    version: kernel.version,
    machine: kernel.machine,
    arch: kernel.arch,
    ...(kernel.bootId === undefined ? {} : { bootId: kernel.bootId }),
    ...archive,
    ...(kernelBuild && { kernelBuild }),
    danglingLinks: record.danglingLinks,
    origin: record.headers.origin,
    ...how,
    transferred: how.knownBy === undefined,
    verdict,
  };
}
