import { resolve } from 'node:path';
import { inspectKernelBuild } from '../archive/kernel-build';
import { KhError } from '../core/errors';
import { treeIsSound, treePath } from '../store/archives';
import type { Store } from '../store/layout';
import type { KernelWorkspace } from './kernel-workspace';

/** In the place of a kernel source's folder: the build files that were imported with the headers. */
export const PACKED = 'packed';

/** What tells one kernel source from another, wherever kh is run. */
export function kernelSourceKey(kernelSource: string): string {
  return kernelSource === PACKED ? PACKED : resolve(kernelSource);
}

/**
 * The folder of the source that modules are to be built with.
 *
 * @param kernelSource a folder, or `PACKED`
 * @throws KhError BUILD_BAD_SOURCE where no build files came with the headers, STORE_*
 */
export async function kernelSourceFolder(
  store: Store,
  kernelSource: string,
  { workspace, release, kernelBuild }: KernelWorkspace,
): Promise<string> {
  if (kernelSource !== PACKED) return resolve(kernelSource);
  if (kernelBuild === undefined) {
    throw new KhError('BUILD_BAD_SOURCE', {
      message: `the workspace has no build files of ${release}: none were imported with its headers`,
      hint: `Where the kernel was built, run \`kh pack BUILD --full -o FOLDER\`; then \`kh import --from-pack FOLDER\`. A folder that is called so is ./${PACKED}.`,
      details: { workspace },
    });
  }
  const tree = treePath(store, kernelBuild.sha256);
  if (!(await treeIsSound(store, kernelBuild.sha256))) {
    throw new KhError('STORE_DAMAGED', {
      message: `the build files of ${release} are damaged, or gone: ${tree}`,
      hint: 'Run `kh store verify --repair`, or import the pack again with --force.',
      details: { path: tree },
    });
  }
  const { missing } = await inspectKernelBuild(tree);
  if (missing.length === 0) return tree;
  throw new KhError('BUILD_BAD_SOURCE', {
    message: `the pack of ${release} has no build files: the source that it was made of lacked ${missing.join(', ')}`,
    hint: 'Pack it again where the whole source is (--source names it), or leave out --kernel-source.',
    details: { workspace, missing },
  });
}
