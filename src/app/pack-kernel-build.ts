import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KERNEL_BUILD_FILES, type KernelBuildRecord } from '../archive/kernel-build';
import { holdsTar, kernelBuildTar, type BuildMember } from '../archive/pack/kernel-build-tar';
import { unreadable } from '../archive/pack/members';
import { packArchive } from '../archive/pack/pack-archive';
import { isErrno } from '../core/errors';
import type { BuildTree } from '../kbuild/build-tree';
import { listBuildFiles, missingBuildFiles, type BuildFile } from '../kbuild/kernel-source/build-files';
import { digestsOf } from './check-archive';
import type { Context } from './context';
import { packProgress } from './pack-progress';
import { timeOfDay } from './pack-time';

/** What a module build takes beyond headers, packed. */
export interface PackedKernelBuild {
  archive: string;
  bytes: number;
  md5: string;
  sha256: string;
  /** Whether the kernel's `.config` is in it. */
  config: boolean;
  /** Whether the kernel's `Module.symvers` is in it. */
  symvers: boolean;
  /** Of the kernel's source; 0 where `missing` names what that lacks. */
  buildFiles: number;
  missing: string[];
  /** True where nothing had changed and the archive is the one that was there. */
  unchanged: boolean;
}

export const KERNEL_BUILD_ARCHIVE = 'kernel-build.tar.xz';

/** How it is to be packed, and with which headers it goes. */
export interface KernelBuildPacking {
  /** The folder to write to. */
  output: string;
  headers: KernelBuildRecord['headers'];
  /** Of all members, in seconds since 1970; the time of packing where left out. */
  timestamp: number | undefined;
  /** Also where nothing changed. */
  force: boolean;
}

/**
 * Packs what builds of modules take beyond headers: `.config`, `Module.symvers`,
 * and the kernel's own build files. Warns of what is not there, with what that means.
 *
 * @throws KhError USAGE where a file cannot be read; XZ_UNAVAILABLE, STORE_*; or the signal's reason
 */
export async function packKernelBuild(
  tree: BuildTree,
  { output, headers, timestamp, force }: KernelBuildPacking,
  { signal, emit, limits }: Pick<Context, 'signal' | 'emit' | 'limits'>,
): Promise<PackedKernelBuild> {
  const start = performance.now();
  const parts = await partsOf(tree);
  for (const message of notesOn(tree, parts)) emit({ type: 'warning', message });
  const { members, missing } = parts;
  const record: KernelBuildRecord = { release: tree.version.release, arch: tree.arch, headers, missing };
  const archive = join(output, KERNEL_BUILD_ARCHIVE);

  const same = (mtime: number) => kernelBuildTar(record, members, { mtime });
  const known = !force && (await holdsTar(archive, same, { mtime: timestamp, limits, signal }));
  const found = known ? await digestsOf(archive, signal) : undefined;
  const packing = {
    mtime: timestamp ?? timeOfDay(),
    onEntries: packProgress(emit, KERNEL_BUILD_ARCHIVE, members.length),
  };
  const packed =
    found ??
    (await packArchive(kernelBuildTar(record, members, packing), archive, { signal, parallel: true }));
  const { bytes, md5, sha256 } = packed;
  const unchanged = found !== undefined;
  const milliseconds = Math.round(performance.now() - start);
  emit({ type: 'pack.finished', serial: KERNEL_BUILD_ARCHIVE, bytes, unchanged, milliseconds });
  const { config, symvers, buildFiles } = parts;
  return { archive, bytes, md5, sha256, config, symvers, buildFiles, missing, unchanged };
}

interface Parts {
  members: BuildMember[];
  config: boolean;
  symvers: boolean;
  buildFiles: number;
  missing: string[];
}

/** Build files that no build can be prepared with are left out. */
async function partsOf({ build, source, arch }: BuildTree): Promise<Parts> {
  const own: BuildMember[] = [];
  const take = async (name: string): Promise<boolean> => {
    const path = join(build, name);
    const there = await hasContent(path);
    if (there) own.push({ name, path });
    return there;
  };
  const config = await take(KERNEL_BUILD_FILES.config);
  const symvers = await take(KERNEL_BUILD_FILES.symvers);
  const listed = sourceFiles(source, arch);
  const missing = missingBuildFiles(listed);
  const files = missing.length === 0 ? listed : [];
  const members = [...own, ...files.map((file) => memberOf(source, file))];
  return { members, config, symvers, buildFiles: files.length, missing };
}

async function hasContent(path: string): Promise<boolean> {
  try {
    const stats = await stat(path);
    return stats.isFile() && stats.size > 0;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw unreadable(path, error);
  }
}

function sourceFiles(source: string, arch: string): BuildFile[] {
  try {
    return listBuildFiles(source, arch);
  } catch (error) {
    if (!isErrno(error)) throw error;
    throw unreadable(error.path ?? source, error);
  }
}

function memberOf(source: string, { path: name, target }: BuildFile): BuildMember {
  return target === undefined ? { name, path: join(source, name) } : { name, target };
}

function notesOn({ build, source }: BuildTree, { config, symvers, missing }: Parts): string[] {
  return [
    ...(config ? [] : [`${build} has no .config: the options in the headers stand in for it`]),
    ...(symvers
      ? []
      : [
          `${build} has no Module.symvers, which a whole kernel build makes: modules that use exported symbols take one, or CRCs that kh recovers from the device or a boot image`,
        ]),
    ...(missing.length === 0
      ? []
      : [
          `${source} is no whole source of a kernel, and its build files are left out: it lacks ${missing.join(', ')}`,
        ]),
  ];
}
