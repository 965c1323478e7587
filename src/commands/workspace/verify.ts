import type { Documents } from '../../cli/documents';
import { reportFlag } from '../../cli/flags/report-flag';
import { workspaceFlags, workspaceSelection } from '../../cli/flags/workspace-flags';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { checkCase, checksText } from '../../cli/text/workspaces';
import { EXIT_CODES } from '../../core/errors';

export default class WorkspaceVerify extends KhCommand {
  static override summary = 'Check workspaces again, byte by byte.';
  static override description = prose`
Reads each archive and compares it with its digests, and each file of the tree with the archive.
No device is asked.

Exits with 11 where anything is damaged, and says what, and which command makes it anew.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> -s 0A041FDD4003DM --json',
  ];
  static override flags = { ...workspaceFlags, ...reportFlag };

  async run(): Promise<Documents['workspace verify']> {
    const { flags } = await this.parse(WorkspaceVerify);
    const { selectWorkspaces } = await import('../../app/workspaces');
    const { verifyWorkspaces } = await import('../../app/verify-workspaces');
    const { store, signal, emit } = await this.openHome(flags);
    const workspaces = await selectWorkspaces(store, workspaceSelection(flags), emit);
    const checks = await verifyWorkspaces(store, workspaces, { signal, emit });
    const sound = checks.every(({ status }) => status === 'sound');
    return this.done(
      { result: checks },
      checksText(checks, this.colours),
      sound ? { status: 'ok', exitCode: 0 } : { status: 'failed', exitCode: EXIT_CODES.STORE_DAMAGED },
      checks.map(checkCase),
    );
  }
}
