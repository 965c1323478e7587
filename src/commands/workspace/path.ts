import type { Documents } from '../../cli/documents';
import { oneWorkspace, workspaceFlags } from '../../cli/flags/workspace-flags';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { pathLines } from '../../cli/text/workspaces';

export default class WorkspacePath extends KhCommand {
  static override summary = 'Print the path of a workspace, for scripts.';
  static override description = prose`
Of several kernels of one device, that of the one which was checked last. The headers are in its
folder \`headers\`.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> -s 0A041FDD4003DM',
    {
      description: 'List the header files of the only device that was pulled:',
      command: 'find "$(<%= config.bin %> <%= command.id %>)/headers/" -name "*.h"',
    },
  ];
  static override flags = workspaceFlags;

  async run(): Promise<Documents['workspace path']> {
    const { flags } = await this.parse(WorkspacePath);
    const { selectWorkspace } = await import('../../app/workspaces');
    const { store, emit } = await this.findHome(flags);
    const workspace = await selectWorkspace(store, oneWorkspace(flags, process.env), emit);
    const { path, headersPath: headers } = workspace;
    return this.done({ result: { workspace: path, headers } }, pathLines([workspace]));
  }
}
