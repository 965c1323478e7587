import type { Documents } from '../../cli/documents';
import { deviceFlags } from '../../cli/flags/device-flags';
import { manifestFile } from '../../cli/flags/manifest-file';
import { privilegeFlag, requireManifestFlag, trustedKeyFlag, trustedKeys } from '../../cli/flags/pull-flags';
import { reportFlag } from '../../cli/flags/report-flag';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { deviceChecksText } from '../../cli/text/manifests';

export default class ManifestCheckDevices extends KhCommand {
  static override summary =
    'Check the archives of attached devices against a manifest, without pulling them.';
  static override description = prose`
Takes the digests that the devices themselves give; a pull also checks what arrives. STATUS is
trusted where the manifest names the archive, unlisted where no entry vouches for it. An archive
that differs or was revoked is the failure of its device, as in a pull: exit code 6.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> lab.json --all',
    '<%= config.bin %> <%= command.id %> lab.json -s 0A041FDD4003DM --require-manifest --json',
  ];
  static override args = { FILE: manifestFile };
  static override flags = {
    ...deviceFlags,
    ...reportFlag,
    'require-manifest': requireManifestFlag,
    'trusted-key': trustedKeyFlag,
    privilege: privilegeFlag('How far to go where the headers are denied to the shell user.'),
  };
  static override progress = true;

  async run(): Promise<Documents['manifest check-devices']> {
    const { args, flags } = await this.parse(ManifestCheckDevices);
    const { openManifest } = await import('../../app/open-manifest');
    const { checkDevice } = await import('../../app/check-device');
    const rule = await openManifest({
      manifestPath: args.FILE,
      requireManifest: flags['require-manifest'],
      trustedKeys: trustedKeys(flags['trusted-key']),
    });
    const { privilege } = flags;
    const outcomes = await this.overDevices(flags, (device, context) =>
      checkDevice(device, rule, { privilege }, context),
    );
    return this.doneOver(outcomes, deviceChecksText(outcomes, this.colours));
  }
}
