import * as Flags from '@oclif/core/flags';
import type { TrustedArchive } from '../../app/trusted-archive';
import type { Documents } from '../../cli/documents';
import { expiresFlag, manifestFile, proseFlag } from '../../cli/flags/manifest-file';
import { eachWorkspace, workspaceFlags } from '../../cli/flags/workspace-flags';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { entriesTable } from '../../cli/text/manifests';

export default class ManifestAdd extends KhCommand {
  static override summary = 'Add an archive that you trust: of a workspace, or in a file.';
  static override description = prose`
Makes the file where there is none, and replaces an entry for the same build of a kernel. Without
-s the only device is meant that was pulled; of several kernels of one device, the one that was
checked last. Only the lab's own JSON form can be added to.

With --archive, the archive of a kernel build, of kh pack or of kh carve: it is decoded to its end,
and its release is read out of it. Its entry is for every build of that release.

Signatures are of the file as it was: sign it again.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> lab.json',
    '<%= config.bin %> <%= command.id %> lab.json -s 0A041FDD4003DM --note "factory image UQ1A.240205"',
    '<%= config.bin %> <%= command.id %> lab.json --archive out/kernel/kheaders_data.tar.xz --expires 90d',
  ];
  static override args = { FILE: manifestFile };
  static override flags = {
    ...workspaceFlags,
    archive: Flags.string({
      summary: 'An archive file in place of a workspace; may be repeated.',
      description: 'With --release, what its release has to be.',
      multiple: true,
      multipleNonGreedy: true,
      exclusive: ['serial'],
      helpValue: 'FILE',
    }),
    expires: expiresFlag('Until when the entry counts; for ever when left out.'),
    note: proseFlag({ summary: 'Why it is trusted, for those who read the file.' }),
  };

  async run(): Promise<Documents['manifest add']> {
    const { args, flags } = await this.parse(ManifestAdd);
    const { addToManifest } = await import('../../app/manifests');
    const { archiveOfFile, archiveOfWorkspace } = await import('../../app/trusted-archive');
    const { selectWorkspace } = await import('../../app/workspaces');
    const context = await this.openHome(flags);
    const archives: TrustedArchive[] = [];
    for (const file of flags.archive ?? []) archives.push(await archiveOfFile(file, context, flags.release));
    for (const selection of flags.archive === undefined ? eachWorkspace(flags, process.env) : []) {
      archives.push(archiveOfWorkspace(await selectWorkspace(context.store, selection, context.emit)));
    }
    const { note, expires } = flags;
    const result = await addToManifest(context, args.FILE, archives, {
      ...(note === undefined ? {} : { note }),
      ...(expires === undefined ? {} : { expires }),
    });
    return this.done({ result }, entriesTable(result.added, this.colours));
  }
}
