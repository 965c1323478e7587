import type { Emit } from '../core/events';
import { shellQuote } from '../device/shell-quote';
import type { Store } from '../store/layout';
import { readIfThere } from '../store/whole-file';
import { markWorkspaceUsed, type Workspace } from '../store/workspaces';
import { kernelFolder, type BuiltWith, type FolderContext } from './kernel-folder';
import { kernelOf, selectKernel } from './kernel-workspace';
import { symversPath } from './symvers-readings';
import { selectWorkspace, type WorkspaceSelection } from './workspaces';

/** The variables that Makefiles, bcc and bpftrace look for. */
export type WorkspaceEnvironment = Record<string, string>;

/**
 * The workspace to build against by hand: the only one, or the latest of the
 * only device; with a release or a workspace named, as for builds.
 *
 * @throws KhError WORKSPACE_*, USAGE, STORE_*
 */
export async function environmentWorkspace(
  store: Store,
  selection: WorkspaceSelection,
  named: string | undefined,
  emit: Emit,
): Promise<Workspace> {
  const { serials, release } = selection;
  if (named === undefined && release === undefined) return selectWorkspace(store, selection, emit);
  const kernel = release === undefined ? {} : { kernel: release };
  return selectKernel(
    store,
    { serials, ...kernel, ...(named === undefined ? {} : { workspace: named }) },
    emit,
  );
}

/**
 * What a shell needs for building by hand against a workspace. Its `kdir` is
 * brought up to date, or the kernel source made ready; no device is asked.
 *
 * @throws KhError TOOLCHAIN_MISSING, BUILD_*, STORE_*; or the signal's reason
 */
export async function workspaceEnvironment(
  workspace: Workspace,
  builtWith: BuiltWith,
  context: FolderContext,
): Promise<{ variables: WorkspaceEnvironment; notes: string[] }> {
  const kernel = kernelOf(workspace);
  const symvers = symversPath(kernel);
  const known = (await readIfThere(symvers)) === undefined ? undefined : symvers;
  const serial = kernel.device;
  const { kdirPath, arch, notes } = await kernelFolder(
    { kernel, symversPath: known, serial },
    builtWith,
    context,
  );
  await markWorkspaceUsed(workspace.path);
  const variables = {
    KDIR: kdirPath,
    KERNEL_SRC: kdirPath,
    ARCH: arch,
    BPFTRACE_KERNEL_SOURCE: workspace.headersPath,
    BCC_KERNEL_SOURCE: workspace.headersPath,
  };
  const missing =
    known === undefined
      ? [
          'there is no Module.symvers yet: `kh symvers` recovers it, and modules that use exported symbols need it',
        ]
      : [];
  return { variables, notes: [...missing, ...notes] };
}

/** The variables as lines for `eval "$(kh env)"`. */
export function exportLines(variables: WorkspaceEnvironment): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}=${shellQuote(value)}\n`)
    .join('');
}
