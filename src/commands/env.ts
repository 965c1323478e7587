import type { Documents } from '../cli/documents';
import { workspaceFlag } from '../cli/flags/kernel-flags';
import { kernelSource, kernelSourceFlag } from '../cli/flags/kernel-source-flag';
import { toolchainChoice, toolchainFlags } from '../cli/flags/toolchain-flags';
import { oneWorkspace, workspaceFlags } from '../cli/flags/workspace-flags';
import { KhCommand } from '../cli/kh-command';
import { prose } from '../cli/prose';

export default class Env extends KhCommand {
  static override summary = 'Print what a shell needs for building against a workspace.';
  static override description = prose`
For \`eval\`: KDIR and KERNEL_SRC for module Makefiles, ARCH, and what bcc and bpftrace look
for. Brings the workspace's KDIR up to date; no device is asked. With --kernel-source, KDIR is
where that source builds modules.`;
  static override examples = [
    'eval "$(<%= config.bin %> <%= command.id %>)"; make -C "$KDIR" M="$PWD" modules',
    '<%= config.bin %> <%= command.id %> -s 0A041FDD4003DM --json',
  ];
  static override flags = {
    ...workspaceFlags,
    workspace: workspaceFlag,
    ...toolchainFlags,
    ...kernelSourceFlag,
  };

  async run(): Promise<Documents['env']> {
    const { flags } = await this.parse(Env);
    const { environmentWorkspace, exportLines, workspaceEnvironment } = await import('../app/workspace-env');
    const { store, signal, emit } = await this.openHome(flags);
    const selection = oneWorkspace(flags, process.env);
    const workspace = await environmentWorkspace(store, selection, flags.workspace, emit);
    const builtWith = { toolchain: toolchainChoice(flags), ...kernelSource(flags) };
    const { variables, notes } = await workspaceEnvironment(workspace, builtWith, { store, signal, emit });
    for (const message of notes) emit({ type: 'warning', message });
    return this.done({ result: variables }, exportLines(variables));
  }
}
