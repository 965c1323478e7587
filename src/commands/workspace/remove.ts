import * as Flags from '@oclif/core/flags';
import type { Documents } from '../../cli/documents';
import { workspaceFlags, workspaceSelection } from '../../cli/flags/workspace-flags';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { pathLines } from '../../cli/text/workspaces';
import { KhError } from '../../core/errors';

export default class WorkspaceRemove extends KhCommand {
  static override summary = 'Remove workspaces.';
  static override description = prose`
Removes what -s and --release name, or all, and prints the paths. Archives and trees stay, since
other devices may share them: \`kh store gc\` removes those that no workspace refers to.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> -s 0A041FDD4003DM',
    '<%= config.bin %> <%= command.id %> -s 0A041FDD4003DM --release 6.1.99-android14-11',
    '<%= config.bin %> <%= command.id %> --all && <%= config.bin %> store gc',
  ];
  static override flags = {
    ...workspaceFlags,
    all: Flags.boolean({ summary: 'Remove every workspace.', exclusive: ['serial', 'release'] }),
  };

  async run(): Promise<Documents['workspace remove']> {
    const { flags } = await this.parse(WorkspaceRemove);
    if (!flags.all && flags.serial === undefined && flags.release === undefined) throw nothingNamed();
    const { removeWorkspaces, selectWorkspaces } = await import('../../app/workspaces');
    const { store, emit } = await this.openHome(flags);
    const workspaces = await selectWorkspaces(store, workspaceSelection(flags), emit);
    const result = await removeWorkspaces(store, workspaces);
    return this.done({ result }, pathLines(workspaces));
  }
}

function nothingNamed(): KhError {
  return new KhError('USAGE', {
    message: 'nothing to remove was named',
    hint: 'Name a device with -s or a kernel with --release, or take them --all.',
  });
}
