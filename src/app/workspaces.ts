import { KhError } from '../core/errors';
import type { Emit } from '../core/events';
import type { Store } from '../store/layout';
import { findWorkspaces, removeWorkspace, type Workspace, type WorkspaceRecord } from '../store/workspaces';

/** Which of the workspaces on disk are meant. What is left out admits all. */
export interface WorkspaceSelection {
  /** Devices, each by its name in the store, its own serial number, or an adb serial it was seen under. */
  serials: string[];
  release?: string;
}

/** Where a workspace is, named as in the result of a pull. */
export interface WorkspacePaths {
  workspace: string;
  /** The extracted tree: `include/` and `arch/` are in it. */
  headers: string;
}

/** A workspace as data: where it is, and what its workspace.json says. */
export interface WorkspaceResult extends WorkspacePaths {
  record: WorkspaceRecord;
}

/** What `removeWorkspaces` did. */
export interface RemovedWorkspaces {
  /** The paths of the workspaces. */
  removed: string[];
  /** How many archives no workspace refers to any more because of it. */
  unreferenced: number;
}

/** A workspace for JSON. */
export function workspaceResult({ path, headersPath, record }: Workspace): WorkspaceResult {
  return { workspace: path, headers: headersPath, record };
}

/**
 * The selected workspaces, by device and release. Damaged ones are warned of
 * and left out.
 *
 * @throws KhError WORKSPACE_NOT_FOUND where a device or release was named and nothing fits; STORE_*
 */
export async function selectWorkspaces(
  store: Store,
  selection: WorkspaceSelection,
  emit: Emit,
): Promise<Workspace[]> {
  const { serials, release } = selection;
  const onDamaged = (error: KhError) =>
    emit({ type: 'warning', message: `${error.reason} (${error.hint ?? ''})` });
  const all = await findWorkspaces(store, release === undefined ? {} : { release }, onDamaged);
  const chosen = all.filter(
    (workspace) => serials.length === 0 || serials.some((serial) => isOf(workspace, serial)),
  );
  if (chosen.length === 0 && (serials.length > 0 || release !== undefined)) throw notFound(selection);
  return chosen;
}

/**
 * The one workspace that is meant: the only one that fits, or else the one
 * that was checked against its device last, if all are of one device.
 *
 * @throws KhError WORKSPACE_NOT_FOUND, USAGE where several devices fit; STORE_*
 */
export async function selectWorkspace(
  store: Store,
  selection: WorkspaceSelection,
  emit: Emit,
): Promise<Workspace> {
  const fitting = await selectWorkspaces(store, selection, emit);
  const [latest] = fitting.toSorted((a, b) => b.record.checkedAt.localeCompare(a.record.checkedAt));
  if (latest === undefined) throw notFound(selection);
  const devices = [...new Set(fitting.map(({ record }) => record.device.name))];
  if (devices.length > 1) {
    throw new KhError('USAGE', {
      message: `there are workspaces of ${devices.length} devices: ${devices.join(', ')}`,
      hint: 'Choose one with -s.',
      details: { devices },
    });
  }
  return latest;
}

/**
 * Removes workspaces. Archives and trees stay for `kh store gc`, as others may pull them again.
 *
 * @throws KhError STORE_*
 */
export async function removeWorkspaces(store: Store, workspaces: Workspace[]): Promise<RemovedWorkspaces> {
  let unreferenced = 0;
  for (const { record } of workspaces) {
    const removed = await removeWorkspace(store, record.device.name, record.kernel.release);
    unreferenced += removed.unreferenced.length;
  }
  return { removed: workspaces.map(({ path }) => path), unreferenced };
}

/** Whether a workspace's device goes by this name: in the store, by its own number, or as adb has seen it. */
export function isOf({ record: { device } }: Workspace, serial: string): boolean {
  return [device.name, device.serialno, ...device.serials].includes(serial);
}

function notFound({ serials, release }: WorkspaceSelection): KhError {
  const of = serials.length === 0 ? '' : ` of ${serials.join(', ')}`;
  const for_ = release === undefined ? '' : ` for kernel ${release}`;
  return new KhError('WORKSPACE_NOT_FOUND', {
    message: `there is no workspace${of}${for_}`,
    hint: '`kh workspace list` shows those that are there; `kh pull` makes one.',
  });
}
