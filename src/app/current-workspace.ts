import { KhError } from '../core/errors';
import type { DeviceProbe } from '../device/probe';
import { treeIsSound } from '../store/archives';
import type { Store } from '../store/layout';
import { readWorkspace, type Workspace } from '../store/workspaces';

/**
 * The workspace that is good as it is: made within this very boot, from an
 * archive of the size that the device shows, with its tree intact. Within one
 * boot a kernel's archive does not change, so nothing need be asked again.
 *
 * @returns undefined where it has to be made, or made again
 */
export async function currentWorkspace(
  store: Store,
  device: string,
  probe: DeviceProbe,
): Promise<Workspace | undefined> {
  const { release, version, bootId } = probe.kernel;
  const workspace = await readUndamaged(store, device, release);
  if (workspace === undefined || bootId === undefined) return undefined;
  const { kernel, archive } = workspace.record;
  const sameBoot = kernel.bootId === bootId && kernel.version === version;
  const sameSize = archive.bytes === (probe.archive?.bytes ?? archive.bytes);
  return sameBoot && sameSize && (await treeIsSound(store, archive.sha256)) ? workspace : undefined;
}

/** A damaged record is as good as none here: the pull writes it anew. */
async function readUndamaged(store: Store, device: string, release: string): Promise<Workspace | undefined> {
  try {
    return await readWorkspace(store, device, release);
  } catch (error) {
    if (error instanceof KhError && error.code === 'STORE_DAMAGED') return undefined;
    throw error;
  }
}
