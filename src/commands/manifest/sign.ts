import * as Flags from '@oclif/core/flags';
import type { Documents } from '../../cli/documents';
import { expiresFlag, manifestFile, passphraseFlag } from '../../cli/flags/manifest-file';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { signedText } from '../../cli/text/manifests';

export default class ManifestSign extends KhCommand {
  static override summary = 'Sign a manifest, as it is now, with an Ed25519 key.';
  static override description = prose`
Takes a manifest of any form. The signatures go into FILE.sig, which belongs beside FILE wherever
that goes. Signatures of other keys stay as long as FILE is what they are of.

Look at what has changed before you sign: whatever is in the file, you vouch for it.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> lab.json --key lab.key',
    '<%= config.bin %> <%= command.id %> lab.json --key old.key --key new.key --expires 90d',
  ];
  static override args = { FILE: manifestFile };
  static override flags = {
    key: Flags.string({
      summary: 'Private key in PEM form (PKCS#8); may be repeated.',
      env: 'KH_SIGNING_KEY',
      required: true,
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'FILE',
    }),
    'passphrase-file': passphraseFlag,
    expires: expiresFlag('Until when the signature counts; for ever when left out.'),
  };

  async run(): Promise<Documents['manifest sign']> {
    const { args, flags } = await this.parse(ManifestSign);
    const { signManifest } = await import('../../app/sign-manifest');
    const { key, expires, 'passphrase-file': passphraseFile } = flags;
    const options = {
      keys: [key].flat(), // one text, where it is from the environment
      ...(expires === undefined ? {} : { expires }),
      ...(passphraseFile === undefined ? {} : { passphraseFile }),
    };
    const result = await signManifest(args.FILE, options, await this.openHome(flags));
    return this.done({ result }, signedText(result, this.colours));
  }
}
