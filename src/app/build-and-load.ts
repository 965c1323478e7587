import { KhError } from '../core/errors';
import { tellLog } from '../device/module-action';
import { refuseUnusablePath } from '../kbuild/kdir/make-path';
import type { Workspace } from '../store/workspaces';
import { buildModule, onceForEachKernel, sourceFolder, type Build, type BuildOptions } from './build-module';
import type { AttachedDevice, Context } from './context';
import { kernelOf, trustedKernel, type KernelSelection, type KernelWorkspace } from './kernel-workspace';
import { loadModule, type LoadedModule } from './load-module';
import { readModuleFile } from './module-file';
import { pullHeaders, type PullOptions } from './pull-headers';
import { refuseOtherKernel } from './refuse-other-kernel';

export interface BuildAndLoadOptions extends BuildOptions {
  pull: PullOptions;
  /** The workspace to build against; where it is left out, that of the kernel which the device runs. */
  selection?: KernelSelection;
  /** Load what was built, in the order of the build. */
  load: boolean;
}

/** A build, and what came of loading it where that was asked for. */
export type BuildResult = Build & { loaded?: LoadedModule[] };

/**
 * From a device and a folder with source to modules that its kernel loads.
 *
 * @returns what to do on each device
 */
export function buildAndLoad(
  options: BuildAndLoadOptions,
): (device: AttachedDevice, context: Context) => Promise<BuildResult> {
  const build = onceForEachKernel(buildModule, options);
  return async (device, context) => {
    await sourceFolder(options.source);
    refuseUnusablePath(context.store.workspaces);
    const kernel = await kernelFor(device, options, context);
    const built = await build({ kernel, device }, context);
    if (!options.load) return built;
    const loaded: LoadedModule[] = [];
    for (const { path } of built.modules) {
      const file = await readModuleFile(path);
      const { privilege } = options.pull;
      const module = await loadModule(device, file, { parameters: [], privilege }, context);
      tellLog(module.log, device.adb.serial, context);
      loaded.push(module);
    }
    return { ...built, loaded };
  };
}

async function kernelFor(
  device: AttachedDevice,
  { selection, pull }: BuildAndLoadOptions,
  context: Context,
): Promise<KernelWorkspace> {
  if (selection === undefined) return pullHeaders(device, { ...pull, force: false }, context);
  const workspace = await workspaceFor(device, selection, pull, context);
  await refuseOtherKernel(device, workspace, context);
  return kernelOf(workspace);
}

/** The device's own workspace, where that fits: it tells builds of one release apart. */
async function workspaceFor(
  { listed: { serial } }: AttachedDevice,
  selection: KernelSelection,
  pull: PullOptions,
  context: Context,
): Promise<Workspace> {
  try {
    return await trustedKernel({ ...selection, serials: [serial] }, pull, context);
  } catch (error) {
    if (!(error instanceof KhError) || error.code !== 'WORKSPACE_NOT_FOUND') throw error;
    return trustedKernel({ ...selection, serials: [] }, pull, context);
  }
}
