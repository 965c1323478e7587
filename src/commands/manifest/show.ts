import type { Documents } from '../../cli/documents';
import { manifestFile } from '../../cli/flags/manifest-file';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { manifestText } from '../../cli/text/manifests';

export default class ManifestShow extends KhCommand {
  static override summary = 'Show what a manifest holds, whichever of its forms it has.';
  static override description = prose`
Reads the lab's JSON form, lists of md5sum and sha256sum, and the kernel build's
kernel/kheaders.md5; what cannot be used is refused with the reason.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> lab.json',
    "<%= config.bin %> <%= command.id %> lab.json --json | jq -r '.result.kernels[].release'",
  ];
  static override args = { FILE: manifestFile };
  static override flags = {};

  async run(): Promise<Documents['manifest show']> {
    const { args } = await this.parse(ManifestShow);
    const { requireManifest } = await import('../../app/open-manifest');
    const manifest = await requireManifest(args.FILE);
    return this.done({ result: manifest }, manifestText(manifest, this.colours));
  }
}
