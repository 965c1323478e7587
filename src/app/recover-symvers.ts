import { join, resolve } from 'node:path';
import { KhError } from '../core/errors';
import { readNamedFile } from '../core/read-named-file';
import type { PrivilegeChoice } from '../device/privilege';
import { mergeSources, type DroppedSource, type SymversSource } from '../kbuild/symvers/merge-sources';
import { formatSymvers, parseSymvers, type SymversEntry } from '../kbuild/symvers/symvers-file';
import { refuseNewer } from '../store/json-fields';
import { readIfThere, writeWhole } from '../store/whole-file';
import type { AttachedDevice, Context } from './context';
import { NO_DEVICE } from './import-record';
import type { KernelWorkspace } from './kernel-workspace';
import { isFor, keepReadings, kernelKey, readReadings, symversPath, type Readings } from './symvers-readings';

export interface SymversOptions {
  /** A `Module.symvers` of the kernel's build. */
  symversPath?: string;
  /** What is in that file, where it has been read: it may be a pipe. */
  symversEntries?: SymversEntry[];
  /** The boot image that is flashed, or the kernel's own file. */
  bootImagePath?: string;
  privilege: PrivilegeChoice;
  /** Read the device again, whatever was kept. */
  force: boolean;
}

/** A `Module.symvers` for the kernel that runs, and what it was made of. */
export interface RecoveredSymvers {
  path: string;
  symbols: number;
  /** By source, how many symbols come from it; the best first. */
  sources: { name: string; symbols: number }[];
  dropped: DroppedSource[];
  /** What could not be asked, and why. */
  notes: string[];
  /** Whether it was kept from before, with the device left alone. */
  kept: boolean;
}

/** A kernel, and the device that runs it, where one is attached. */
export interface KernelAtHand {
  kernel: KernelWorkspace;
  device?: AttachedDevice | undefined;
}

/**
 * The kernel's exported symbols with their CRCs: from the user's file, from the
 * kernel image, from the modules on the device, each checked against the
 * better ones. What was recovered is kept beside the workspace, and so is what
 * it was made of: a kernel's image and modules are read once.
 *
 * @throws KhError BUILD_BAD_SYMVERS, BUILD_BAD_IMAGE, BUILD_NO_EXPORTS for files that the user named; USAGE;
 *   SYMVERS_UNAVAILABLE where no source gives anything; and as `AdbDevice.run`
 */
export async function recoverSymvers(
  atHand: KernelAtHand,
  options: SymversOptions,
  context: Context,
): Promise<RecoveredSymvers> {
  const { kernel } = atHand;
  const path = symversPath(kernel);
  const named = options.symversPath !== undefined || options.bootImagePath !== undefined;
  const kept = named || options.force ? undefined : await readKept(kernel);
  if (kept !== undefined) return { ...kept, path, kept: true };

  const fromUser = await readNamed(options);
  const { image, modules } = await readKernelOnce(atHand, options, context);
  const readings = [image, modules].filter((reading) => reading !== undefined);
  const sources = [...fromUser, ...readings.flatMap((reading) => reading.sources)];
  const { entries, origins, dropped } = mergeSources(sources);
  refuseForeignFile(options, dropped);
  const notes = [...readings.flatMap((reading) => reading.notes), ...unchecked(fromUser, sources)];
  if (entries.length === 0) throw nothingFound(atHand, notes);
  const recovered = { symbols: entries.length, sources: countBySource(origins), dropped, notes };
  const text = formatSymvers(entries);
  // What make looks at for its age: one that stays as it is gives it nothing to do.
  if ((await readIfThere(path)) !== text) await writeWhole(context.store, path, text);
  const record = { symvers: 1, ...kernelKey(kernel), ...recovered, origins: Object.fromEntries(origins) };
  await writeWhole(context.store, recordPath(kernel), `${JSON.stringify(record)}\n`);
  return { ...recovered, path, kept: false };
}

/**
 * What the kernel itself tells: from a file that the user named, as kept, or
 * from the device. What could not be read of the image is asked for again.
 */
async function readKernelOnce(
  { kernel, device }: KernelAtHand,
  { bootImagePath, privilege, force }: SymversOptions,
  context: Context,
): Promise<Readings> {
  // Takes half as long to load as all else that a build against a workspace loads.
  const { readBootPartition, readDeviceModules, readImageFile, rightsOn } =
    await import('./read-kernel-exports');
  const known = force ? {} : await readReadings(kernel);
  const named = bootImagePath === undefined ? undefined : await readImageFile(bootImagePath, kernel, context);
  const image = named ?? known.image;
  const { modules } = known;
  if (device === undefined || (image !== undefined && modules !== undefined)) {
    if (named !== undefined) await keepReadings(context.store, kernel, { ...known, image: named });
    return { ...(image && { image }), ...(modules && { modules }) };
  }
  const rights = await rightsOn(device, privilege, context);
  const read = {
    image: image ?? (await readBootPartition(rights, kernel, context)),
    modules: modules ?? (await readDeviceModules(rights, context)),
  };
  const toKeep = read.image.sources.length > 0 ? read : { modules: read.modules };
  await keepReadings(context.store, kernel, toKeep);
  return read;
}

function recordPath({ workspace }: KernelWorkspace): string {
  return join(workspace, 'symvers.json');
}

/** Kept for this very kernel: a rebuilt one has other CRCs. */
async function readKept(
  kernel: KernelWorkspace,
): Promise<Omit<RecoveredSymvers, 'path' | 'kept'> | undefined> {
  const text = await readIfThere(recordPath(kernel));
  const symvers = await readIfThere(symversPath(kernel));
  refuseNewer(text, { path: recordPath(kernel), kind: 'symvers', version: 1 });
  if (text === undefined || symvers === undefined) return undefined;
  try {
    const record = JSON.parse(text) as Omit<RecoveredSymvers, 'path' | 'kept'> & Record<string, unknown>;
    const { symbols, sources, dropped, notes } = record;
    const sound = record['symvers'] === 1 && isFor(kernel, record);
    return sound && parseSymvers(symvers, 'Module.symvers').length === symbols
      ? { symbols, sources, dropped, notes }
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof KhError) return undefined;
    throw error;
  }
}

async function readNamed({ symversPath: named, symversEntries }: SymversOptions): Promise<SymversSource[]> {
  if (named === undefined) return [];
  return [{ name: resolve(named), entries: symversEntries ?? (await readNamedSymvers(named)) }];
}

/** What a `Module.symvers` that a person named holds. @throws KhError USAGE, BUILD_BAD_SYMVERS */
export async function readNamedSymvers(file: string): Promise<SymversEntry[]> {
  return parseSymvers((await readNamedFile(file)).toString('utf8'), resolve(file));
}

/** The named file is believed first: where the kernel itself disagrees, the file is of another build. */
function refuseForeignFile({ symversPath: named }: SymversOptions, dropped: DroppedSource[]): void {
  const path = named === undefined ? undefined : resolve(named);
  const contradiction = dropped.find(({ against }) => against === path);
  if (contradiction === undefined) return;
  const { source, symbol, why } = contradiction;
  throw new KhError('BUILD_BAD_SYMVERS', {
    message: `${path ?? ''} is of another build than the kernel that runs: ${source} disagrees on ${symbol} (${why})`,
    hint: 'A module built with it would be refused. Leave out --symvers: kh recovers the symbols from the device.',
    details: { path, source, symbol },
  });
}

function unchecked(fromUser: SymversSource[], sources: SymversSource[]): string[] {
  if (sources.length > fromUser.length) return [];
  return fromUser.map(({ name }) => `${name} is not checked: nothing is known of the kernel's own CRCs`);
}

function countBySource(origins: Map<string, string>): RecoveredSymvers['sources'] {
  const counts = new Map<string, number>();
  for (const source of origins.values()) counts.set(source, (counts.get(source) ?? 0) + 1);
  return [...counts].map(([name, symbols]) => ({ name, symbols }));
}

function nothingFound({ kernel, device }: KernelAtHand, notes: string[]): KhError {
  const files =
    'name the boot image of the kernel with --boot-image, or the Module.symvers of its build with --symvers';
  if (device === undefined && kernel.device === NO_DEVICE) {
    return new KhError('SYMVERS_UNAVAILABLE', {
      message: `the exported symbols of ${kernel.release} are not known: they did not come with its headers`,
      hint: `Two ways remain: ${files}.`,
      details: { notes },
    });
  }
  if (device === undefined) {
    return new KhError('SYMVERS_UNAVAILABLE', {
      message: `the exported symbols of ${kernel.release} are not known: they were not recovered from ${kernel.device} yet`,
      hint: `Three ways remain: attach ${kernel.device} and run \`kh symvers\` once (root helps: adb root, su); ${files}.`,
      details: { notes },
    });
  }
  return new KhError('SYMVERS_UNAVAILABLE', {
    serial: device.listed.serial,
    message: `the kernel's exported symbols could not be recovered: ${notes.join('; ') || 'no module is on the device'}`,
    hint: `Root helps (adb root, su). Without it, ${files}.`,
    details: { notes },
  });
}
