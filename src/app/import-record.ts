import type { Verdict } from '../core/events';
import type { Kernel } from '../device/probe';
import type { StoredArchive } from '../store/archives';
import { diskName } from '../store/disk-name';
import { findWorkspaces, type WorkspaceRecord } from '../store/workspaces';
import type { Context } from './context';
import { previousWorkspace } from './current-workspace';
import type { ImportSource } from './import-source';
import { khVersion } from './version';
import { isOf } from './workspaces';

/** Stands in the store where a device's name does. */
export const NO_DEVICE = 'imported';

/** What was imported. */
export interface Imported {
  archive: StoredArchive;
  kernelBuild: StoredArchive | undefined;
  verdict: Verdict;
  kernel: Omit<Kernel, 'bootId'>;
}

/**
 * The record of the workspace that an import makes, or brings up to date:
 * what is known of that very kernel already stays.
 *
 * @param device whom it is for: a name that a device is known by, or another
 * @throws KhError STORE_*
 */
export async function importRecord(
  { path, origin, archive: source }: ImportSource,
  device: string | undefined,
  { archive, kernelBuild, verdict, kernel }: Imported,
  { store, emit }: Context,
): Promise<WorkspaceRecord> {
  const owner = await ownerOf(device, store);
  const previous = (await previousWorkspace(store, owner.name, kernel.release))?.record;
  const { sha256 } = archive;
  const same = previous?.archive.sha256 === sha256 ? previous : undefined;
  const now = new Date().toISOString();
  if (previous !== undefined && same === undefined) {
    const message = `${owner.name} ${kernel.release} had other headers (sha256 ${previous.archive.sha256.slice(0, 12)}…): they are replaced`;
    emit({ type: 'warning', message });
  }
  const known = same !== undefined && (kernel.version === '' || kernel.version === same.kernel.version);
  const build = kernelBuild ?? same?.kernelBuild;
  // Of two imports, the one that brought build files is the one that can bring it all again.
  const isRicher = kernelBuild !== undefined && ['file', 'image'].includes(same?.headers.origin ?? '');
  return {
    device: owner,
    kernel: known ? same.kernel : kernel,
    headers: known && !isRicher ? same.headers : { path, origin, bytes: source.size },
    archive: nameOf(archive),
    ...(build && { kernelBuild: nameOf(build) }),
    verdict,
    danglingLinks: archive.danglingLinks.length,
    pulledAt: same?.pulledAt ?? now,
    checkedAt: now,
    kh: khVersion(),
  };
}

function nameOf({ sha256, md5, bytes }: WorkspaceRecord['archive']): WorkspaceRecord['archive'] {
  return { sha256, md5, bytes };
}

/** A device that is known by that name goes on as it is; another is made, to be met later. */
async function ownerOf(
  device: string | undefined,
  store: Context['store'],
): Promise<WorkspaceRecord['device']> {
  if (device === undefined) return { name: NO_DEVICE, serialno: '', serials: [] };
  const known = (await findWorkspaces(store, {})).filter((workspace) => isOf(workspace, device));
  const [latest] = known.toSorted((a, b) => b.record.checkedAt.localeCompare(a.record.checkedAt));
  return latest?.record.device ?? { name: diskName(device), serialno: device, serials: [] };
}
