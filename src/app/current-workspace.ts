import { KhError } from '../core/errors';
import type { DeviceProbe } from '../device/probe';
import { treeIsSound } from '../store/archives';
import type { Store } from '../store/layout';
import { pendingModuleUse } from '../store/module-ledger';
import { readWorkspace, type Workspace } from '../store/workspaces';

/** The workspace that is there from before. A damaged one is as good as none: a pull writes it anew. */
export async function previousWorkspace(
  store: Store,
  device: string,
  release: string,
): Promise<Workspace | undefined> {
  try {
    return await readWorkspace(store, device, release);
  } catch (error) {
    if (error instanceof KhError && error.code === 'STORE_DAMAGED') return undefined;
    throw error;
  }
}

/**
 * Whether a workspace is good as it is: made within this very boot, from an
 * archive of the size that the device shows, with its tree intact. Within one
 * boot a kernel's archive does not change, so nothing need be asked again;
 * unless a killed kh left its module loaded, which the next pull is to unload.
 */
export async function isCurrent(store: Store, { record }: Workspace, probe: DeviceProbe): Promise<boolean> {
  const { version, bootId } = probe.kernel;
  const sameBoot =
    bootId !== undefined && record.kernel.bootId === bootId && record.kernel.version === version;
  const pending =
    bootId !== undefined && (await pendingModuleUse(store, { device: record.device.name, bootId }));
  if (!sameBoot || pending) return false;
  const sameSize = record.archive.bytes === (probe.archive?.bytes ?? record.archive.bytes);
  return sameSize && (await treeIsSound(store, record.archive.sha256));
}
