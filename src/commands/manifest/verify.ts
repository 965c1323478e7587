import type { Documents } from '../../cli/documents';
import { manifestFile } from '../../cli/flags/manifest-file';
import { trustedKeyFlag, trustedKeys } from '../../cli/flags/pull-flags';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { signedText } from '../../cli/text/manifests';

export default class ManifestVerify extends KhCommand {
  static override summary = 'Check that a key which you trust has signed a manifest as it is now.';
  static override description = prose`
Exits with 6 and says why where no signature counts. One good signature will do.`;
  static override examples = ['<%= config.bin %> <%= command.id %> lab.json --trusted-key lab.pub'];
  static override args = { FILE: manifestFile };
  static override flags = { 'trusted-key': trustedKeyFlag };

  async run(): Promise<Documents['manifest verify']> {
    const { args, flags } = await this.parse(ManifestVerify);
    const { verifyManifest } = await import('../../app/sign-manifest');
    const result = await verifyManifest(args.FILE, trustedKeys(flags['trusted-key']));
    return this.done({ result }, signedText(result, this.colours));
  }
}
