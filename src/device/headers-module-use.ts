import { withDeadline, withGrace } from '../core/abort';
import { asKhError, KhError } from '../core/errors';
import type { Work } from '../core/work';
import type { Access } from './access';
import { bounds } from './bounds';
import { absentError, lockedModuleError } from './headers-errors';
import { isModuleLoaded, loadHeadersModule, unloadHeadersModule } from './headers-module';
import { configuredHeaders } from './kernel-config';
import { probeDevice, type DeviceProbe } from './probe';
import type { Rights } from './rights';

/** One user of a module that several kh processes may share; the last one out unloads what kh loaded. */
export interface ModuleUse {
  leave(unload: () => Promise<void>): Promise<'unloaded' | 'in-use' | 'not-ours'>;
}

/** On record while the module is kh's to unload: written before it is loaded, struck out where kh did not load it. */
export interface LoadNote {
  write(): Promise<void>;
  strike(): Promise<void>;
}

/**
 * Has the module `kheaders` loaded, unless it is.
 *
 * @throws KhError HEADERS_ABSENT, HEADERS_DENIED, HEADERS_MODULE_UNLOADABLE, and as `AdbDevice.run`
 */
export async function ensureLoaded(
  rights: Rights,
  probe: DeviceProbe,
  note: LoadNote,
  work: Work,
): Promise<void> {
  if (probe.moduleLoaded && (await isModuleLoaded(rights.access, bounds(work, 'looking for its module'))))
    return;
  const rooted = await rights.root();
  const { serial } = rights.access.adb;
  // What was seen when the module was still loaded, or with fewer rights, is no help in finding it.
  const seenAll = rights.access.privilege === 'plain' && !probe.moduleLoaded;
  const { modules, kernel, moduleLoaded } = seenAll ? probe : await probeDevice(rights.access, bounds(work));
  if (moduleLoaded) return;
  const paths = likeliestFirst(modules, kernel.release);
  if (paths[0] === undefined) {
    throw absentError(serial, kernel.release, await configuredHeaders(rights.access, work), rights.refusals);
  }
  if (rooted === undefined) throw lockedModuleError(serial, paths[0], rights.refusals);
  await loadFirstOf(rooted, paths, note, work);
}

/** A folder that is named by the release that runs holds no other kernel's module. */
function likeliestFirst(modules: string[], release: string): string[] {
  const isOfRelease = (path: string): boolean => path.includes(`/${release}/`);
  return [...modules.filter(isOfRelease), ...modules.filter((path) => !isOfRelease(path))];
}

/** Loads the first of the modules that the kernel takes: others may have been left behind by older kernels. */
async function loadFirstOf(access: Access, paths: string[], note: LoadNote, work: Work): Promise<void> {
  const refusals: KhError[] = [];
  await note.write();
  for (const path of paths) {
    const outcome = await load(access, path, work);
    if (outcome === 'loaded') {
      work.emit({ type: 'module.loaded', serial: access.adb.serial, path });
      return;
    }
    if (outcome === 'was-loaded') break;
    refusals.push(outcome);
  }
  await note.strike();
  if (refusals.length === paths.length) throw allRefused(refusals);
}

function allRefused(refusals: KhError[]): KhError {
  const [first, ...others] = refusals as [KhError, ...KhError[]];
  if (others.length === 0) return first;
  const { code, serial, hint, details } = first;
  const message = refusals.map(({ reason }) => reason).join('; ');
  return new KhError(code, { serial, message, hint, details });
}

/**
 * Loads, and hears the answer even where the work is stopped meanwhile.
 *
 * @returns the failure where the kernel refused it
 */
async function load(access: Access, path: string, work: Work): Promise<'loaded' | 'was-loaded' | KhError> {
  const { signal, times } = work;
  try {
    return await withGrace(
      (late) => loadHeadersModule(access, path, bounds({ ...work, signal: late }, `loading ${path}`)),
      { signal, milliseconds: times.cleanup / 2 },
    );
  } catch (error) {
    if (error instanceof KhError && error.code === 'HEADERS_MODULE_UNLOADABLE') return error;
    warnOfModule(access, UNHEARD, work);
    throw error;
  }
}

/**
 * Undoes the loading. What can't be undone is reported, never thrown, as it
 * must not hide why the work ended.
 */
export async function leaveModule(use: ModuleUse, rights: Rights, work: Work): Promise<void> {
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
