import { refuseUnusablePath } from '../kbuild/kdir/make-path';
import type { BuildAndLoadOptions } from './build-and-load';
import { buildModule, sourceFolder, type Build } from './build-module';
import type { Context } from './context';
import { kernelOf, trustedKernel, type KernelSelection } from './kernel-workspace';

/**
 * Builds against a workspace that is here. No device is asked.
 *
 * @throws KhError WORKSPACE_*, VERIFY_*, MANIFEST_UNUSABLE, BUILD_*, SYMVERS_UNAVAILABLE, TOOLCHAIN_MISSING, STORE_*; or the signal's reason
 */
export async function buildForKernel(
  selection: KernelSelection,
  options: Omit<BuildAndLoadOptions, 'load'>,
  context: Context,
): Promise<Build> {
  await sourceFolder(options.source);
  refuseUnusablePath(context.store.workspaces);
  const workspace = await trustedKernel(selection, options.pull, context);
  return buildModule({ kernel: kernelOf(workspace) }, options, context);
}
