import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isErrno, KhError } from '../core/errors';
import type { Emit } from '../core/events';
import { treeIsSound } from '../store/archives';
import type { Store } from '../store/layout';
import { readIfThere } from '../store/whole-file';
import { findWorkspaces, type Workspace } from '../store/workspaces';
import type { Context } from './context';
import { mendingOf } from './mending';
import { checkManifest, openManifest } from './open-manifest';
import type { PulledHeaders, PullOptions } from './pull-headers';
import { symversPath } from './symvers-readings';
import { isOf } from './workspaces';

/** A kernel that the store has the headers of: what builds need to know of it. */
export type KernelWorkspace = Pick<
  PulledHeaders,
  'workspace' | 'headers' | 'device' | 'release' | 'version' | 'sha256' | 'kernelBuild'
>;

/** Which workspace on disk is meant, whatever is attached. One of `kernel` and `workspace` is there. */
export interface KernelSelection {
  /** Kernel release, as `uname -r` prints it. */
  kernel?: string;
  /** The path of a workspace, or DEVICE, or DEVICE/RELEASE. */
  workspace?: string;
  /** Devices by their names in the store, their own serial numbers or adb serials; none admits all. */
  serials: string[];
}

/** A workspace as builds take it. */
export function kernelOf({ path, headersPath, record }: Workspace): KernelWorkspace {
  const { device, kernel, archive, kernelBuild } = record;
  return {
    workspace: path,
    headers: headersPath,
    device: device.name,
    release: kernel.release,
    version: kernel.version,
    sha256: archive.sha256,
    ...(kernelBuild && { kernelBuild }),
  };
}

/**
 * The workspace that a selection names. Several that hold the same build of a
 * kernel are one: that with its exported symbols comes first, then the latest.
 *
 * @throws KhError WORKSPACE_NOT_FOUND; WORKSPACE_AMBIGUOUS where builds differ; STORE_*
 */
export async function selectKernel(store: Store, selection: KernelSelection, emit: Emit): Promise<Workspace> {
  const onDamaged = ({ reason, hint }: KhError) =>
    emit({ type: 'warning', message: `${reason} (${hint ?? ''})` });
  const { kernel, workspace: named, serials } = selection;
  const all = await findWorkspaces(store, kernel === undefined ? {} : { release: kernel }, onDamaged);
  const ofDevices = all.filter((one) => serials.length === 0 || serials.some((serial) => isOf(one, serial)));
  const fitting = named === undefined ? ofDevices : await thoseNamed(ofDevices, named);
  const builds = new Set(fitting.map((one) => buildOf(one, fitting)));
  if (builds.size > 1) throw ambiguous(selection, fitting);
  const [chosen] = await inOrder(fitting);
  if (chosen === undefined) throw notFound(selection, all.length > 0 ? all : await findWorkspaces(store, {}));
  if (await treeIsSound(store, chosen.record.archive.sha256)) return chosen;
  throw new KhError('STORE_DAMAGED', {
    message: `the headers of ${chosen.path} are damaged, or gone`,
    hint: `Bring them back with \`kh store verify --repair\`, or with \`${mendingOf(chosen.record)}\`.`,
    details: { path: chosen.path },
  });
}

/**
 * As `selectKernel`, checked against the manifest: what that says now counts
 * for headers that were pulled before, too.
 *
 * @throws KhError as `selectKernel`; USAGE, MANIFEST_*, VERIFY_*
 */
export async function trustedKernel(
  selection: KernelSelection,
  pull: PullOptions,
  { store, emit }: Pick<Context, 'store' | 'emit'>,
): Promise<Workspace> {
  const rule = await openManifest(pull);
  const workspace = await selectKernel(store, selection, emit);
  const { kernel, archive } = workspace.record;
  checkManifest(rule, kernel, archive, { warn: (message) => emit({ type: 'warning', message }) });
  return workspace;
}

/** By path first; else by what people call it. */
async function thoseNamed(workspaces: Workspace[], named: string): Promise<Workspace[]> {
  const path = await realPath(resolve(named));
  const paths = await Promise.all(workspaces.map((workspace) => realPath(workspace.path)));
  const atPath = workspaces.filter((_, index) => path !== undefined && paths[index] === path);
  if (atPath.length > 0) return atPath;
  return workspaces.filter((workspace) => {
    const { device, kernel } = workspace.record;
    return named === `${device.name}/${kernel.release}` || isOf(workspace, named);
  });
}

async function realPath(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG')) return undefined;
    throw error;
  }
}

/** What makes two kernels one to a module. Where a build is not known, it is taken for that of the same archive. */
function buildOf({ record: { archive, kernel } }: Workspace, others: readonly Workspace[]): string {
  const same = others.filter(
    ({ record }) => record.archive.sha256 === archive.sha256 && record.kernel.release === kernel.release,
  );
  const known = same.find(({ record }) => record.kernel.version !== '')?.record.kernel.version ?? '';
  return [archive.sha256, kernel.release, kernel.version || known].join('\n');
}

async function inOrder(workspaces: Workspace[]): Promise<Workspace[]> {
  const known = await Promise.all(
    workspaces.map(async (workspace) => ({
      workspace,
      hasSymbols: (await readIfThere(symversPath(kernelOf(workspace)))) !== undefined,
    })),
  );
  return known
    .toSorted(
      (one, other) =>
        Number(other.hasSymbols) - Number(one.hasSymbols) ||
        other.workspace.record.checkedAt.localeCompare(one.workspace.record.checkedAt),
    )
    .map(({ workspace }) => workspace);
}

/** Workspaces that an error lists. */
const SHOWN = 8;

function ambiguous(selection: KernelSelection, workspaces: Workspace[]): KhError {
  const lines = workspaces.map(
    ({ path, record: { device, kernel } }) => `${device.name}/${kernel.release} (${kernel.version}): ${path}`,
  );
  return new KhError('WORKSPACE_AMBIGUOUS', {
    message: `${wanted(selection)} is not one kernel: workspaces of different builds fit: ${lines.slice(0, SHOWN).join('; ')}`,
    hint: 'Choose one with --workspace DEVICE/RELEASE, or a device with -s.',
    details: { workspaces: workspaces.map(({ path }) => path) },
  });
}

function notFound(selection: KernelSelection, there: Workspace[]): KhError {
  const names = there.map(({ record: { device, kernel } }) => `${device.name}/${kernel.release}`);
  const shown = names.length > SHOWN ? [...names.slice(0, SHOWN), '…'] : names;
  const others = names.length === 0 ? 'None is here yet.' : `There are: ${shown.join(', ')}.`;
  const of = selection.serials.length === 0 ? '' : ` of ${selection.serials.join(', ')}`;
  return new KhError('WORKSPACE_NOT_FOUND', {
    message: `there is no workspace${of} for ${wanted(selection)}`,
    hint: `${others} \`kh pull\` makes one from a device.`,
    details: { workspaces: there.map(({ path }) => path) },
  });
}

function wanted({ kernel, workspace }: KernelSelection): string {
  return [workspace, kernel && `kernel ${kernel}`].filter((part) => part !== undefined).join(', ');
}
