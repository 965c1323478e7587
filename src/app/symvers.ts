import type { AttachedDevice, Context } from './context';
import { kernelOf, trustedKernel, type KernelSelection } from './kernel-workspace';
import { pullHeaders, type PullOptions } from './pull-headers';
import { recoverSymvers, type RecoveredSymvers, type SymversOptions } from './recover-symvers';

export interface KernelSymversOptions {
  pull: PullOptions;
  symvers: SymversOptions;
}

/**
 * The exported symbols of the kernel that a device runs.
 *
 * @returns what to do on each device
 */
export function symversOfDevice(
  options: KernelSymversOptions,
): (device: AttachedDevice, context: Context) => Promise<RecoveredSymvers> {
  return async (device, context) => {
    const kernel = await pullHeaders(device, { ...options.pull, force: false }, context);
    return recoverSymvers({ kernel, device }, options.symvers, context);
  };
}

/**
 * Those of a kernel whose workspace is here: what was kept, and what named
 * files tell. No device is asked.
 *
 * @throws KhError WORKSPACE_*, VERIFY_*, MANIFEST_UNUSABLE, and as `recoverSymvers`
 */
export async function symversOfKernel(
  selection: KernelSelection,
  options: KernelSymversOptions,
  context: Context,
): Promise<RecoveredSymvers> {
  const workspace = await trustedKernel(selection, options.pull, context);
  return recoverSymvers({ kernel: kernelOf(workspace) }, options.symvers, context);
}
