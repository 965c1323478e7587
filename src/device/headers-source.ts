import type { AdbDevice, CallOptions } from '../adb/adb-device';
import type { HeadersOrigin } from '../core/events';
import type { Work } from '../core/work';
import { commandLineFor, runWith, type Access } from './access';
import { bounds } from './bounds';
import { absentError, deniedError } from './headers-errors';
import { ensureLoaded, leaveModule, type LoadNote, type ModuleUse } from './headers-module-use';
import { configuredHeaders } from './kernel-config';
import type { PrivilegeChoice, Reopen } from './privilege';
import { probeDevice, type ArchiveSighting, type DeviceProbe } from './probe';
import { Rights } from './rights';

/** Enters the list of users, running `load` while no one else can. */
export type EnterModuleUse = (load: (note: LoadNote) => Promise<void>) => Promise<ModuleUse>;

export interface LocateOptions {
  privilege: PrivilegeChoice;
  reopen: Reopen;
  enterModuleUse: EnterModuleUse;
}

/** The archive on a device, ready to be read. Disposing unloads the module, if kh loaded it for this. */
export interface HeadersSource extends AsyncDisposable {
  readonly access: Access;
  readonly path: string;
  readonly origin: HeadersOrigin;
  /** As the device's stat gave it; undefined where it has none. */
  readonly bytes: number | undefined;
  /** Reads it once, in chunks. Throws as `AdbDevice.receive`. */
  read(options: CallOptions): AsyncGenerator<Buffer, void, undefined>;
  /** What md5sum on the device makes of it; asked at most once. Undefined where there is no md5sum. */
  deviceMd5(): Promise<string | undefined>;
}

/**
 * Finds the archive and gets the right to read it: as it is, by climbing to
 * root where it is denied, by loading `kheaders.ko` where it sits in a module.
 *
 * @param probe what `probeDevice` saw with plain rights
 * @throws KhError HEADERS_ABSENT, HEADERS_DENIED, HEADERS_MODULE_UNLOADABLE, and as `AdbDevice.run`
 */
export async function locateHeaders(
  adb: AdbDevice,
  probe: DeviceProbe,
  options: LocateOptions,
  work: Work,
): Promise<HeadersSource> {
  const rights = new Rights({ adb, privilege: 'plain', root: probe.root }, options, work);
  const builtIn = probe.archive !== undefined && !probe.moduleLoaded;
  const source = builtIn
    ? await openArchive(rights, probe, 'built-in', work)
    : await openModule(rights, probe, options.enterModuleUse, work);
  const { path, origin, bytes = 0 } = source;
  work.emit({ type: 'headers.located', serial: adb.serial, path, origin, bytes });
  return source;
}

/** The archive is there: read it with the rights in hand, else as root. */
async function openArchive(
  rights: Rights,
  probe: DeviceProbe,
  origin: HeadersOrigin,
  work: Work,
): Promise<HeadersSource> {
  const seen = probe.archive;
  if (seen?.state === 'readable') return archiveSource(rights.access, seen, origin, work);
  const rooted = await rights.root();
  const seenByRoot = rooted && (await probeDevice(rooted, bounds(work))).archive;
  if (rooted !== undefined && seenByRoot?.state === 'readable') {
    return archiveSource(rooted, seenByRoot, origin, work);
  }
  const sighting = seen ?? seenByRoot;
  const { serial } = rights.access.adb;
  throw sighting === undefined
    ? absentError(serial, probe.kernel.release, await configuredHeaders(rights.access, work), rights.refusals)
    : deniedError(serial, sighting, rights.refusals);
}

/** The archive is in a module: have it loaded for as long as the source is open. */
async function openModule(
  rights: Rights,
  probe: DeviceProbe,
  enterModuleUse: EnterModuleUse,
  work: Work,
): Promise<HeadersSource> {
  const use = await enterModuleUse((note) => ensureLoaded(rights, probe, note, work));
  const leave = () => leaveModule(use, rights, work);
  try {
    const loaded = await probeDevice(rights.access, bounds(work));
    const source = await openArchive(rights, loaded, 'module', work);
    return { ...source, [Symbol.asyncDispose]: leave };
  } catch (error) {
    await leave();
    throw error;
  }
}

function archiveSource(
  access: Access,
  { path, bytes }: ArchiveSighting,
  origin: HeadersOrigin,
  work: Work,
): HeadersSource {
  let md5: Promise<string | undefined> | undefined;
  return {
    access,
    path,
    origin,
    bytes,
    read: (options) =>
      access.privilege === 'su'
        ? access.adb.stream(commandLineFor(access, `cat ${path} 2>/dev/null`), options)
        : access.adb.receive(path, options),
    deviceMd5: () => {
      md5 ??= askMd5(access, path, bounds(work, `asking for the md5 of ${path}`));
      md5.catch(() => undefined); // asked ahead of time; whoever awaits it still sees the failure
      return md5;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** What md5sum on the device makes of the archive; undefined where there is none, or it may not be read. */
export function askMd5(access: Access, path: string, options: CallOptions): Promise<string | undefined> {
  return askDigest(access, `md5sum ${path}`, /^([0-9a-f]{32})\b/m, options);
}

/** As `askMd5`, of sha256sum. */
export function askSha256(access: Access, path: string, options: CallOptions): Promise<string | undefined> {
  return askDigest(access, `sha256sum ${path}`, /^([0-9a-f]{64})\b/m, options);
}

async function askDigest(
  access: Access,
  command: string,
  form: RegExp,
  options: CallOptions,
): Promise<string | undefined> {
  const output = await runWith(access, command, options);
  return form.exec(output.stdout.toString('latin1'))?.[1];
}
