import { basename, resolve } from 'node:path';
import { KhError } from '../core/errors';
import { bounds } from '../device/bounds';
import { openBootPartition } from '../device/boot-partition';
import { listDeviceModules, receiveDeviceModule } from '../device/device-modules';
import type { PrivilegeChoice } from '../device/privilege';
import { probeDevice } from '../device/probe';
import { Rights } from '../device/rights';
import { openFileSource, type ByteSource } from '../core/byte-source';
import { readKernel } from '../kbuild/image/kernel-payload';
import { scanExports } from '../kbuild/image/scan-exports';
import { moduleSources, type SymversSource } from '../kbuild/symvers/merge-sources';
import { readModuleSymbols, type ModuleSymbols } from '../kbuild/symvers/module-exports';
import type { AttachedDevice, Context } from './context';
import type { KernelWorkspace } from './kernel-workspace';
import { reopening } from './reopening';
import type { Reading } from './symvers-readings';

/**
 * The exports of a kernel image on this machine.
 *
 * @throws KhError BUILD_BAD_IMAGE also where it is another kernel's, BUILD_NO_EXPORTS, DECODER_MISSING, USAGE
 */
export async function readImageFile(
  file: string,
  kernel: KernelWorkspace,
  { signal }: Pick<Context, 'signal'>,
): Promise<Reading> {
  const path = resolve(file);
  await using source = await openFileSource(path);
  return { sources: [await scanImage(source, path, kernel, signal)], notes: [] };
}

/**
 * The exports of the kernel in the boot partition. What cannot be read is no
 * failure: there are other sources.
 *
 * @throws KhError as `AdbDevice.run`
 */
export async function readBootPartition(
  rights: Rights,
  kernel: KernelWorkspace,
  context: Context,
): Promise<Reading> {
  try {
    const partition = await openBootPartition(rights, context);
    return { sources: [await scanImage(partition, partition.path, kernel, context.signal)], notes: [] };
  } catch (error) {
    if (!(error instanceof KhError) || !UNREADABLE.has(error.code)) throw error;
    return { sources: [], notes: [error.reason] };
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

/** What is flashed, or lies in a file, need not be what runs: the image has to say that it is. */
async function scanImage(
  source: ByteSource,
  name: string,
  kernel: KernelWorkspace,
  signal: AbortSignal,
): Promise<SymversSource> {
  const { bytes } = await readKernel(source, name, { signal });
  refuseOtherImage(bytes, name, kernel);
  return { name, entries: scanExports(bytes, name).entries };
}

/** Of the line with which a kernel names itself as it starts. */
const LONGEST_BANNER = 1024;

/** @see init/version.c of the kernel: `linux_banner` ends with what `uname -v` prints */
function refuseOtherImage(image: Buffer, name: string, { release, version }: KernelWorkspace): void {
  const banners: string[] = [];
  const start = 'Linux version ';
  for (let at = image.indexOf(start); at !== -1; at = image.indexOf(start, at + 1)) {
    const text = image.toString('latin1', at, at + LONGEST_BANNER).split(/[\n\0]/, 1)[0] ?? '';
    if (/^Linux version \d/.test(text)) banners.push(text);
  }
  const ofRelease = banners.filter((text) => text.startsWith(`${start}${release} `));
  if (ofRelease.some((text) => text.includes(version))) return;
  const [other] = [...ofRelease, ...banners];
  const its = other === undefined ? 'no name that kh can find' : `the name "${other}"`;
  throw new KhError('BUILD_BAD_IMAGE', {
    message: `${name} holds another kernel than ${release} (${version}): it has ${its}`,
    hint: 'Was the device booted from an image that is not flashed? Name that image with --boot-image.',
    details: { image: name, release, version },
  });
}

/**
 * What the modules on a device export and import. One that cannot be read is
 * noted and left out.
 *
 * @throws KhError as `AdbDevice.run`
 */
export async function readDeviceModules(rights: Rights, context: Context): Promise<Reading> {
  const access = (await rights.root()) ?? rights.access;
  const symbols: ModuleSymbols[] = [];
  const notes: string[] = [];
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
  const sizes = new Set(symbols.map(({ thisModuleSize }) => thisModuleSize));
  const [size] = sizes.size === 1 ? sizes : [];
  return { sources: moduleSources(symbols), notes, ...(size === undefined ? {} : { thisModuleSize: size }) };
}

const SKIPPED = new Set(['REMOTE_DENIED', 'REMOTE_NOT_FOUND', 'REMOTE_IO', 'BUILD_BAD_OBJECT']);

/** The rights on a device with which its kernel is read. */
export async function rightsOn(
  { server, adb }: AttachedDevice,
  privilege: PrivilegeChoice,
  context: Context,
): Promise<Rights> {
  const plain = { adb, privilege: 'plain', root: false } as const;
  const { root } = await probeDevice(plain, bounds(context));
  const reopen = reopening(server, context);
  return new Rights({ ...plain, root }, { privilege, reopen }, context);
}
