import { CLIError } from '@oclif/core/errors';
import * as Flags from '@oclif/core/flags';
import type { Documents } from '../../cli/documents';
import { manifestFile, proseFlag } from '../../cli/flags/manifest-file';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { revokedTable } from '../../cli/text/manifests';

export default class ManifestRevoke extends KhCommand {
  static override summary = 'Revoke archives: from now on they are refused, whatever kernel they are for.';
  static override description = prose`
The entries of the archives are taken out, and their digests go onto the list of what is refused,
with the reason; also by pulls that do not require a manifest, and for headers that were pulled
before. \`kh manifest check\` names those on disk.

Signatures are of the file as it was: sign it again.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> lab.json --release 6.1.145-android14-11 --reason "built on a host that was broken into"',
    '<%= config.bin %> <%= command.id %> lab.json --sha256 9f86d081… --reason "wrong configuration"',
  ];
  static override args = { FILE: manifestFile };
  static override flags = {
    release: Flags.string({
      summary: 'The archives of all entries for this kernel release; may be repeated.',
      aliases: ['kernel'],
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'RELEASE',
    }),
    sha256: Flags.custom({
      summary: 'The archive with this digest, listed or not; may be repeated.',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'HEX',
      parse: (input) => {
        if (/^[0-9a-f]{64}$/i.test(input)) return Promise.resolve(input.toLowerCase());
        throw new CLIError(`${input} is no sha256: it has 64 hexadecimal digits`);
      },
    })(),
    reason: proseFlag({ summary: 'Why, for those who meet the refusal.', required: true }),
  };

  async run(): Promise<Documents['manifest revoke']> {
    const { args, flags } = await this.parse(ManifestRevoke);
    const { release: releases = [], sha256 = [], reason } = flags;
    if (releases.length + sha256.length === 0) {
      throw new CLIError('say what to revoke: --release or --sha256');
    }
    const { revokeInManifest } = await import('../../app/manifests');
    const context = await this.openHome(flags);
    const result = await revokeInManifest(context, args.FILE, { releases, sha256, reason });
    return this.done({ result }, revokedTable(result.revoked, this.colours));
  }
}
