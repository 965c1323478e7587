import type { Documents } from '../../cli/documents';
import { oneWorkspace, workspaceFlags } from '../../cli/flags/workspace-flags';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { workspaceFacts } from '../../cli/text/workspaces';

export default class WorkspaceShow extends KhCommand {
  static override summary = 'Show where a workspace came from and what it was checked against.';
  static override description = prose`
Of several kernels of one device, the one is shown that was checked last.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> -s 0A041FDD4003DM --release 6.1.99-android14-11',
    "<%= config.bin %> <%= command.id %> --json | jq -r '.result.record.archive.sha256'",
  ];
  static override flags = workspaceFlags;

  async run(): Promise<Documents['workspace show']> {
    const { flags } = await this.parse(WorkspaceShow);
    const { selectWorkspace, workspaceResult } = await import('../../app/workspaces');
    const { store, emit } = await this.findHome(flags);
    const workspace = await selectWorkspace(store, oneWorkspace(flags, process.env), emit);
    return this.done({ result: workspaceResult(workspace) }, workspaceFacts(workspace, this.colours));
  }
}
