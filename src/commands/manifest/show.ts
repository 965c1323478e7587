import type { Documents } from '../../cli/documents';
import { manifestFile } from '../../cli/flags/manifest-file';
import { trustedKeyFlag, trustedKeys } from '../../cli/flags/pull-flags';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { shownText } from '../../cli/text/manifests';

export default class ManifestShow extends KhCommand {
  static override summary = 'Show what a manifest holds, whichever of its forms it has.';
  static override description = prose`
Reads the lab's JSON form, lists of md5sum and sha256sum, and the kernel build's
kernel/kheaders.md5; what cannot be used is refused with the reason.

Signatures are shown with what they are worth: valid, unknown-key (not one that --trusted-key
names), stale (of the file as it was before), wrong, expired, or future. None of that is a failure
here: \`kh manifest verify\` judges.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> lab.json',
    "<%= config.bin %> <%= command.id %> lab.json --json | jq -r '.result.kernels[].release'",
  ];
  static override args = { FILE: manifestFile };
  static override flags = { 'trusted-key': trustedKeyFlag };

  async run(): Promise<Documents['manifest show']> {
    const { args, flags } = await this.parse(ManifestShow);
    const { inspectManifest } = await import('../../app/open-manifest');
    const inspected = await inspectManifest(args.FILE, trustedKeys(flags['trusted-key']));
    const { manifest, signatures } = inspected;
    return this.done({ result: { ...manifest, signatures } }, shownText(inspected, this.colours));
  }
}
