import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { isErrno, KhError } from '../core/errors';
import { bounds } from '../device/bounds';
import { openBootPartition } from '../device/boot-partition';
import { listDeviceModules, receiveDeviceModule } from '../device/device-modules';
import type { PrivilegeChoice } from '../device/privilege';
import { probeDevice } from '../device/probe';
import { Rights } from '../device/rights';
import { openFileSource, type ByteSource } from '../kbuild/image/byte-source';
import { readKernel } from '../kbuild/image/kernel-payload';
import { scanExports } from '../kbuild/image/scan-exports';
import {
  mergeSources,
  moduleSources,
  type DroppedSource,
  type SymversSource,
} from '../kbuild/symvers/merge-sources';
import { readModuleSymbols, type ModuleSymbols } from '../kbuild/symvers/module-exports';
import { formatSymvers, parseSymvers } from '../kbuild/symvers/symvers-file';
import { readIfThere, writeWhole } from '../store/whole-file';
import type { AttachedDevice, Context } from './context';
import type { PulledHeaders } from './pull-headers';
import { reopening } from './reopening';

export interface SymversOptions {
  /** A `Module.symvers` of the kernel's build. */
  symversPath?: string;
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

/**
 * The kernel's exported symbols with their CRCs: from the user's file, from the
 * kernel image, from the modules on the device, each checked against the
 * better ones. What was recovered is kept beside the workspace, so that the
 * partition is read once for each build of a kernel.
 *
 * @throws KhError BUILD_BAD_SYMVERS, BUILD_BAD_IMAGE, BUILD_NO_EXPORTS for files that the user named; USAGE;
 *   SYMVERS_UNAVAILABLE where no source gives anything; and as `AdbDevice.run`
 */
export async function recoverSymvers(
  device: AttachedDevice,
  pulled: PulledHeaders,
  options: SymversOptions,
  context: Context,
): Promise<RecoveredSymvers> {
  const path = join(pulled.workspace, 'Module.symvers');
  const named = options.symversPath !== undefined || options.bootImagePath !== undefined;
  const kept = named || options.force ? undefined : await readKept(pulled);
  if (kept !== undefined) return { ...kept, path, kept: true };

  const notes: string[] = [];
  const rights = await rightsOn(device, options, context);
  const sources = [
    ...(await fromUser(options)),
    ...(await fromImage(rights, pulled, options, notes, context)),
    ...(await fromModules(rights, notes, context)),
  ];
  const { entries, origins, dropped } = mergeSources(sources);
  refuseForeignFile(options, dropped);
  if (entries.length === 0) throw nothingFound(device.listed.serial, notes);
  const recovered = { symbols: entries.length, sources: countBySource(origins), dropped, notes };
  await writeWhole(context.store, path, formatSymvers(entries));
  const record = { symvers: 1, archive: pulled.sha256, ...recovered, origins: Object.fromEntries(origins) };
  await writeWhole(context.store, recordPath(pulled), `${JSON.stringify(record)}\n`);
  return { ...recovered, path, kept: false };
}

function recordPath({ workspace }: PulledHeaders): string {
  return join(workspace, 'symvers.json');
}

/** Kept for this very archive: a rebuilt kernel has another one, and other CRCs. */
async function readKept(pulled: PulledHeaders): Promise<Omit<RecoveredSymvers, 'path' | 'kept'> | undefined> {
  const text = await readIfThere(recordPath(pulled));
  const symvers = await readIfThere(join(pulled.workspace, 'Module.symvers'));
  if (text === undefined || symvers === undefined) return undefined;
  try {
    const record = JSON.parse(text) as Omit<RecoveredSymvers, 'path' | 'kept'> & Record<string, unknown>;
    const { symbols, sources, dropped, notes } = record;
    const sound = record['symvers'] === 1 && record['archive'] === pulled.sha256;
    return sound && parseSymvers(symvers, 'Module.symvers').length === symbols
      ? { symbols, sources, dropped, notes }
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof KhError) return undefined;
    throw error;
  }
}

async function fromUser({ symversPath }: SymversOptions): Promise<SymversSource[]> {
  if (symversPath === undefined) return [];
  const path = resolve(symversPath);
  try {
    return [{ name: path, entries: parseSymvers(await readFile(path, 'utf8'), path) }];
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EACCES', 'EISDIR')) throw error;
    throw new KhError('USAGE', { message: `cannot read ${path}: ${error.code}`, cause: error });
  }
}

async function fromImage(
  rights: Rights,
  pulled: PulledHeaders,
  options: SymversOptions,
  notes: string[],
  context: Context,
): Promise<SymversSource[]> {
  if (options.bootImagePath !== undefined) {
    const path = resolve(options.bootImagePath);
    await using source = await openFileSource(path);
    return [await scanImage(source, path, pulled.release, context)];
  }
  try {
    const partition = await openBootPartition(rights, context);
    return [await scanImage(partition, partition.path, pulled.release, context)];
  } catch (error) {
    if (!(error instanceof KhError) || !UNREADABLE.has(error.code)) throw error;
    notes.push(error.reason);
    return [];
  }
}

/** Failures of the device's own image that leave other sources to try. */
const UNREADABLE = new Set([
  'REMOTE_DENIED',
  'REMOTE_NOT_FOUND',
  'REMOTE_IO',
  'BUILD_BAD_IMAGE',
  'BUILD_NO_EXPORTS',
  'DECODER_MISSING',
]);

/** What is flashed need not be what runs: the image has to name the release. */
async function scanImage(
  source: ByteSource,
  name: string,
  release: string,
  { signal }: Context,
): Promise<SymversSource> {
  const { bytes } = await readKernel(source, name, { signal });
  if (!bytes.includes(`Linux version ${release} `)) {
    throw new KhError('BUILD_BAD_IMAGE', {
      message: `${name} holds another kernel than the one that runs, ${release}`,
      hint: 'Was the device booted from an image that is not flashed? Name that image with --boot-image.',
      details: { image: name, release },
    });
  }
  return { name, entries: scanExports(bytes, name).entries };
}

async function fromModules(rights: Rights, notes: string[], context: Context): Promise<SymversSource[]> {
  const access = (await rights.root()) ?? rights.access;
  const symbols: ModuleSymbols[] = [];
  for (const module of await listDeviceModules(access, bounds(context))) {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of receiveDeviceModule(access, module, bounds(context))) chunks.push(chunk);
      symbols.push(readModuleSymbols(Buffer.concat(chunks), basename(module.path)));
    } catch (error) {
      if (!(error instanceof KhError) || !SKIPPED.has(error.code)) throw error;
      notes.push(error.reason);
    }
  }
  return moduleSources(symbols);
}

const SKIPPED = new Set(['REMOTE_DENIED', 'REMOTE_NOT_FOUND', 'REMOTE_IO', 'BUILD_BAD_OBJECT']);

async function rightsOn(
  { server, adb }: AttachedDevice,
  { privilege }: SymversOptions,
  context: Context,
): Promise<Rights> {
  const plain = { adb, privilege: 'plain', root: false } as const;
  const { root } = await probeDevice(plain, bounds(context));
  const reopen = reopening(server, context);
  return new Rights({ ...plain, root }, { privilege, reopen }, context);
}

/** The named file is believed first: where the kernel itself disagrees, the file is of another build. */
function refuseForeignFile({ symversPath }: SymversOptions, dropped: DroppedSource[]): void {
  const path = symversPath === undefined ? undefined : resolve(symversPath);
  const contradiction = dropped.find(({ against }) => against === path);
  if (contradiction === undefined) return;
  const { source, symbol, why } = contradiction;
  throw new KhError('BUILD_BAD_SYMVERS', {
    message: `${path ?? ''} is of another build than the kernel that runs: ${source} disagrees on ${symbol} (${why})`,
    hint: 'A module built with it would be refused. Leave out --symvers: kh recovers the symbols from the device.',
    details: { path, source, symbol },
  });
}

function countBySource(origins: Map<string, string>): RecoveredSymvers['sources'] {
  const counts = new Map<string, number>();
  for (const source of origins.values()) counts.set(source, (counts.get(source) ?? 0) + 1);
  return [...counts].map(([name, symbols]) => ({ name, symbols }));
}

function nothingFound(serial: string, notes: string[]): KhError {
  return new KhError('SYMVERS_UNAVAILABLE', {
    serial,
    message: `the kernel's exported symbols could not be recovered: ${notes.join('; ') || 'no module is on the device'}`,
    hint: 'Root helps (adb root, su). Without it, name the boot image with --boot-image or the Module.symvers of its build with --symvers.',
    details: { notes },
  });
}
