import type { Documents } from '../../cli/documents';
import { workspaceFlags, workspaceSelection } from '../../cli/flags/workspace-flags';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { workspacesTable } from '../../cli/text/workspaces';

export default class WorkspaceList extends KhCommand {
  static override summary = 'List the workspaces on disk.';
  static override description = prose`
One line for each device and kernel that was pulled. TRUST is trusted where a manifest names the
archive, and unverified where none did. CHECKED is when the headers were last found to be those
of the running kernel, in UTC.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    "<%= config.bin %> <%= command.id %> --json | jq -r '.result[] | .workspace'",
  ];
  static override flags = workspaceFlags;

  async run(): Promise<Documents['workspace list']> {
    const { flags } = await this.parse(WorkspaceList);
    const { selectWorkspaces, workspaceResult } = await import('../../app/workspaces');
    const { store, emit } = await this.findHome(flags);
    const workspaces = await selectWorkspaces(store, workspaceSelection(flags), emit);
    if (workspaces.length === 0) emit({ type: 'warning', message: 'nothing has been pulled yet' });
    return this.done({ result: workspaces.map(workspaceResult) }, workspacesTable(workspaces, this.colours));
  }
}
