import * as Args from '@oclif/core/args';
import type { Documents } from '../../cli/documents';
import { passphraseFlag } from '../../cli/flags/manifest-file';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { newKeysText } from '../../cli/text/manifests';

export default class ManifestKeygen extends KhCommand {
  static override summary = 'Make a pair of keys to sign manifests with.';
  static override description = prose`
Writes NAME.key, the private key (PKCS#8, mode 0600), and NAME.pub, the public one (SPKI), both in
PEM form, as \`openssl genpkey -algorithm ed25519\` does. Replaces nothing. With --passphrase-file
the private key is encrypted.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> lab',
    '<%= config.bin %> <%= command.id %> ~/keys/lab-2027 --passphrase-file ~/keys/passphrase',
  ];
  static override args = {
    NAME: Args.string({
      name: 'NAME',
      description: 'The path of the two files, without .key and .pub.',
      required: true,
    }),
  };
  static override flags = { 'passphrase-file': passphraseFlag };

  async run(): Promise<Documents['manifest keygen']> {
    const { args, flags } = await this.parse(ManifestKeygen);
    const { generateKeys } = await import('../../app/manifest-keys');
    const result = await generateKeys(args.NAME, flags['passphrase-file']);
    return this.done({ result }, newKeysText(result, this.colours));
  }
}
