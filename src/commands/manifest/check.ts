import type { Documents } from '../../cli/documents';
import { manifestFile } from '../../cli/flags/manifest-file';
import { requireManifestFlag, trustedKeyFlag, trustedKeys } from '../../cli/flags/pull-flags';
import { workspaceFlags, workspaceSelection } from '../../cli/flags/workspace-flags';
import { KhCommand } from '../../cli/kh-command';
import { manifestStatus } from '../../cli/manifest-status';
import { prose } from '../../cli/prose';
import { manifestChecksText } from '../../cli/text/manifests';

export default class ManifestCheck extends KhCommand {
  static override summary = 'Check the workspaces on disk against a manifest.';
  static override description = prose`
STATUS is trusted where the manifest names the archive, unlisted where it does not know the
kernel, expired where its entry has run out, mismatch where it names another archive, and revoked
where it refuses this one. Archives in the store that no workspace uses are listed where they are
revoked.

Exits with 6 where there is a mismatch or a revoked archive; with --require-manifest also where
anything is unlisted or expired. \`kh manifest check-devices\` asks the attached devices.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> lab.json',
    '<%= config.bin %> <%= command.id %> lab.json --require-manifest --json',
  ];
  static override args = { FILE: manifestFile };
  static override flags = {
    ...workspaceFlags,
    'require-manifest': requireManifestFlag,
    'trusted-key': trustedKeyFlag,
  };

  async run(): Promise<Documents['manifest check']> {
    const { args, flags } = await this.parse(ManifestCheck);
    const { selectWorkspaces } = await import('../../app/workspaces');
    const { requireManifest } = await import('../../app/open-manifest');
    const { checkUnusedArchives, checkWorkspaces } = await import('../../app/manifests');
    const { store, emit } = await this.openHome(flags);
    const manifest = await requireManifest(args.FILE, trustedKeys(flags['trusted-key']));
    const workspaces = await selectWorkspaces(store, workspaceSelection(flags), emit);
    const all = flags.serial === undefined && flags.release === undefined;
    const unused = all ? await checkUnusedArchives(store, manifest, workspaces) : [];
    const checks = [...checkWorkspaces(manifest, workspaces), ...unused];
    return this.done(
      { result: checks },
      manifestChecksText(checks, this.colours),
      manifestStatus(checks, flags['require-manifest']),
    );
  }
}
