import type { AdbDevice, CallOptions } from '../adb/adb-device';
import { withDeadline, withGrace } from '../core/abort';
import { asKhError, KhError } from '../core/errors';
import type { HeadersOrigin } from '../core/events';
import type { Work } from '../core/work';
import { commandLineFor, runWith, type Access } from './access';
import { bounds } from './bounds';
import { absentError, deniedError, lockedModuleError, type ConfiguredHeaders } from './headers-errors';
import { isModuleLoaded, loadHeadersModule, unloadHeadersModule } from './headers-module';
import { configValue, readKernelConfig } from './kernel-config';
import type { PrivilegeChoice, Reopen } from './privilege';
import { probeDevice, type ArchiveSighting, type DeviceProbe } from './probe';
import { Rights } from './rights';

/** One user of a module that several kh processes may share; the last one out unloads what kh loaded. */
export interface ModuleUse {
  leave(unload: () => Promise<void>): Promise<'unloaded' | 'in-use' | 'not-ours'>;
}

/** On record while the module is kh's to unload: written before it is loaded, struck out where kh did not load it. */
export interface LoadNote {
  write(): Promise<void>;
  strike(): Promise<void>;
}

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
  let loadedPath: string | undefined;
  const use = await enterModuleUse(async (note) => {
    loadedPath = await ensureLoaded(rights, probe, note, work);
  });
  // Only now is it on record who has to unload it: whoever hears of it may end kh.
  if (loadedPath !== undefined) {
    work.emit({ type: 'module.loaded', serial: rights.access.adb.serial, path: loadedPath });
  }
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

/** @returns the module's file where this loaded it; undefined where it was loaded */
async function ensureLoaded(
  rights: Rights,
  probe: DeviceProbe,
  note: LoadNote,
  work: Work,
): Promise<string | undefined> {
  if (probe.moduleLoaded && (await isModuleLoaded(rights.access, bounds(work, 'looking for its module'))))
    return undefined;
  const rooted = await rights.root();
  const { serial } = rights.access.adb;
  // What was seen when the module was still loaded, or with fewer rights, is no help in finding it.
  const seenAll = rights.access.privilege === 'plain' && !probe.moduleLoaded;
  const { modules, kernel, moduleLoaded } = seenAll ? probe : await probeDevice(rights.access, bounds(work));
  if (moduleLoaded) return undefined;
  const path = modules.find((candidate) => candidate.includes(`/${kernel.release}/`)) ?? modules[0];
  if (path === undefined) {
    throw absentError(serial, kernel.release, await configuredHeaders(rights.access, work), rights.refusals);
  }
  if (rooted === undefined) throw lockedModuleError(serial, path, rights.refusals);
  return (await load(rooted, path, note, work)) === 'loaded' ? path : undefined;
}

/** Loads, and hears the answer even where the work is stopped meanwhile. */
async function load(
  access: Access,
  path: string,
  note: LoadNote,
  work: Work,
): Promise<'loaded' | 'was-loaded'> {
  const { signal, times } = work;
  await note.write();
  try {
    const outcome = await withGrace(
      (late) => loadHeadersModule(access, path, bounds({ ...work, signal: late }, `loading ${path}`)),
      { signal, milliseconds: times.cleanup / 2 },
    );
    if (outcome === 'was-loaded') await note.strike();
    return outcome;
  } catch (error) {
    const refused = error instanceof KhError && error.code === 'HEADERS_MODULE_UNLOADABLE';
    if (refused) await note.strike();
    else warnOfModule(access, UNHEARD, work);
    throw error;
  }
}

/**
 * Undoes the loading. What can't be undone is reported, never thrown, as it
 * must not hide why the work ended.
 */
async function leaveModule(use: ModuleUse, rights: Rights, work: Work): Promise<void> {
  const { serial } = rights.access.adb;
  try {
    const outcome = await use.leave(() => unload(rights, work));
    if (outcome === 'unloaded') work.emit({ type: 'module.unloaded', serial, path: MODULE_NAME });
  } catch (error) {
    warnOfModule(rights.access, `is left loaded: ${asKhError(error).reason}`, work);
  }
}

/** Has a time limit of its own: the work may have ended because its signal fired. */
function unload(rights: Rights, work: Work): Promise<void> {
  return withDeadline(
    async (signal) => {
      const cleanup: Work = { ...work, signal };
      const rooted = await rights.root(cleanup);
      const left =
        rooted === undefined
          ? 'root is needed'
          : await unloadHeadersModule(rooted, bounds(cleanup, UNLOADING));
      if (left !== undefined) throw new KhError('REMOTE_COMMAND_FAILED', { message: left });
    },
    { signal: new AbortController().signal, milliseconds: work.times.cleanup, what: UNLOADING },
  );
}

function warnOfModule({ adb }: Access, what: string, { emit }: Work): void {
  emit({ type: 'warning', serial: adb.serial, message: `its module ${MODULE_NAME} ${what}` });
}

const UNLOADING = 'unloading its module';

const UNHEARD =
  'may be left loaded: kh did not hear what came of loading it. The next kh pull from this device unloads it';

const MODULE_NAME = 'kheaders';

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

async function askMd5(access: Access, path: string, options: CallOptions): Promise<string | undefined> {
  const output = await runWith(access, `md5sum ${path}`, options);
  return /^([0-9a-f]{32})\b/m.exec(output.stdout.toString('latin1'))?.[1];
}

async function configuredHeaders(access: Access, work: Work): Promise<ConfiguredHeaders> {
  const config = await readKernelConfig(access, bounds(work));
  if (config === undefined) return undefined;
  const value = configValue(config, 'IKHEADERS') ?? configValue(config, 'IKHEADERS_PROC');
  return value === 'y' || value === 'm' ? value : 'n';
}
