import { Flags } from '@oclif/core';
import type { Documents } from '../../cli/documents';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { garbageText } from '../../cli/text/garbage';

export default class StoreGc extends KhCommand {
  static override summary = 'Give back archives and trees that no workspace refers to.';
  static override description = prose`
Removes what no workspace refers to and no pull has used within the last hour, and what killed runs left.
Workspaces stay: \`kh workspace remove\` removes those.

Safe while other kh processes pull.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --json',
  ];
  static override flags = {
    'dry-run': Flags.boolean({ char: 'n', summary: 'Only show what would be removed.' }),
  };

  async run(): Promise<Documents['store gc']> {
    const { flags } = await this.parse(StoreGc);
    const { collectStore } = await import('../../app/store-gc');
    const { store } = await this.openHome(flags);
    const garbage = await collectStore(store, { dryRun: flags['dry-run'] });
    return this.done({ result: garbage }, garbageText(garbage, this.colours));
  }
}
