import { join } from 'node:path';
import {
  holdsKernelBuild,
  inspectKernelBuild,
  KERNEL_BUILD_FILES,
  type KernelBuildTree,
} from '../archive/kernel-build';
import { openFileSource } from '../core/byte-source';
import { KhError } from '../core/errors';
import { readBounded } from '../core/read-bounded';
import { isConfigOf } from '../kbuild/image/embedded-config';
import type { ArchiveFacts, StoredArchive } from '../store/archives';
import type { Context } from './context';
import type { HeadersTree } from './headers-machine';
import { importArchive, type ImportRules } from './import-archive';
import { inspectReceived } from './judge-archive';

/** What module builds take beyond headers, in the store. */
export interface ImportedKernelBuild {
  archive: StoredArchive;
  /** The kernel's `.config`. */
  config?: Buffer;
  /** The path of the kernel's `Module.symvers`. */
  symversPath?: string;
}

/** The headers that it has to belong to. */
export interface PairedHeaders {
  archive: StoredArchive;
  tree: HeadersTree;
}

/**
 * Takes the `kernel-build.tar.xz` of a pack into the store, once it is proven
 * to belong to these headers.
 *
 * @param name what messages call the archive
 * @throws KhError VERIFY_PACK, ARCHIVE_*, STORE_*; or the signal's reason
 */
export async function importKernelBuild(
  { path, name }: { path: string; name: string },
  headers: PairedHeaders,
  force: boolean,
  context: Context,
): Promise<ImportedKernelBuild> {
  const judge = async (_: ArchiveFacts, treePath: string): Promise<void> => {
    await refuseStranger(name, treePath, headers);
  };
  const inspect: ImportRules<void>['inspect'] = (stage, received) =>
    inspectReceived(stage, received, inspectKernelBuild);
  const rules = { force, isOfKind: holdsKernelBuild, inspect, judge };
  await using bytes = await openFileSource(path);
  const { archive } = await importArchive(bytes, rules, context);
  const { config, symvers } = await inspectKernelBuild(archive.treePath);
  return {
    archive,
    ...(config ? { config: await readConfig(archive.treePath) } : {}),
    ...(symvers ? { symversPath: join(archive.treePath, KERNEL_BUILD_FILES.symvers) } : {}),
  };
}

async function refuseStranger(
  path: string,
  treePath: string,
  { archive, tree }: PairedHeaders,
): Promise<void> {
  const build = await inspectKernelBuild(treePath);
  const difference = differenceOf(build, { archive, tree });
  if (difference !== undefined) throw stranger(path, difference);
  if (build.config && !isConfigOf(await readConfig(treePath), tree.autoconf))
    throw stranger(path, `the .config in it has other options than the headers' autoconf.h`);
}

function differenceOf(build: KernelBuildTree, { archive, tree }: PairedHeaders): string | undefined {
  if (build.headers.sha256 !== archive.sha256)
    return `it goes with a headers archive of sha256 ${build.headers.sha256}, and this one has ${archive.sha256}`;
  if (build.release !== archive.release)
    return `it is of ${build.release}, and the headers of ${archive.release}`;
  return build.arch === tree.arch ? undefined : `it is for ${build.arch}, and the headers for ${tree.arch}`;
}

/** `inspectKernelBuild` has seen that it is of a usual size. */
function readConfig(treePath: string): Promise<Buffer> {
  return readBounded(join(treePath, KERNEL_BUILD_FILES.config), Number.MAX_SAFE_INTEGER);
}

function stranger(path: string, why: string): KhError {
  return new KhError('VERIFY_PACK', {
    message: `${path} does not belong to the headers beside it: ${why}`,
    hint: 'Run `kh pack --full` again, which writes both; or remove it, and import the headers alone.',
    details: { path },
  });
}
