import * as Flags from '@oclif/core/flags';
import type { Documents } from '../../cli/documents';
import { manifestFile } from '../../cli/flags/manifest-file';
import { eachWorkspace, workspaceFlags } from '../../cli/flags/workspace-flags';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { entriesTable } from '../../cli/text/manifests';

export default class ManifestAdd extends KhCommand {
  static override summary = 'Add the archive of a workspace that you trust.';
  static override description = prose`
Makes the file where there is none, and replaces an entry for the same build of a kernel. Without
-s the only device is meant that was pulled; of several kernels of one device, the one that was
checked last. Only the lab's own JSON form can be added to.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> lab.json',
    '<%= config.bin %> <%= command.id %> lab.json -s 0A041FDD4003DM --note "factory image UQ1A.240205"',
  ];
  static override args = { FILE: manifestFile };
  static override flags = {
    ...workspaceFlags,
    note: Flags.string({ summary: 'Why it is trusted, for those who read the file.', helpValue: 'TEXT' }),
  };

  async run(): Promise<Documents['manifest add']> {
    const { args, flags } = await this.parse(ManifestAdd);
    const { selectWorkspace } = await import('../../app/workspaces');
    const { addToManifest } = await import('../../app/manifests');
    const { store, emit } = await this.openHome(flags);
    const selections = eachWorkspace(flags, process.env);
    const workspaces = await Promise.all(selections.map((one) => selectWorkspace(store, one, emit)));
    const note = flags.note === undefined ? {} : { note: flags.note };
    const result = await addToManifest(store, args.FILE, workspaces, note);
    return this.done({ result }, entriesTable(result.added, this.colours));
  }
}
