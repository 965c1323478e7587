import { join } from 'node:path';
import { shellQuote } from '../device/shell-quote';
import { makeKdir } from '../kbuild/kdir/make-kdir';
import type { ToolchainChoice } from '../kbuild/toolchain/candidates';
import { treePath } from '../store/archives';
import type { Store } from '../store/layout';
import { readIfThere } from '../store/whole-file';
import type { Workspace } from '../store/workspaces';

/** The variables that Makefiles, bcc and bpftrace look for. */
export type WorkspaceEnvironment = Record<string, string>;

/**
 * What a shell needs for building by hand against a workspace. Its `kdir` is
 * brought up to date; no device is asked.
 *
 * @throws KhError TOOLCHAIN_MISSING, BUILD_*, STORE_*; or the signal's reason
 */
export async function workspaceEnvironment(
  store: Store,
  workspace: Workspace,
  choice: ToolchainChoice,
  signal: AbortSignal,
): Promise<{ variables: WorkspaceEnvironment; notes: string[] }> {
  const headersPath = treePath(store, workspace.record.archive.sha256);
  const kdirPath = join(workspace.path, 'kdir');
  const symvers = join(workspace.path, 'Module.symvers');
  const symversPath = (await readIfThere(symvers)) === undefined ? undefined : symvers;
  const { arch, notes } = await makeKdir({ kdirPath, headersPath, symversPath, choice, signal });
  const variables = {
    KDIR: kdirPath,
    KERNEL_SRC: kdirPath,
    ARCH: arch,
    BPFTRACE_KERNEL_SOURCE: workspace.headersPath,
    BCC_KERNEL_SOURCE: workspace.headersPath,
  };
  const missing =
    symversPath === undefined
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
