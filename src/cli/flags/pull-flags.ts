import * as Flags from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';
import type { PullOptions } from '../../app/pull-headers';

const HELP = 'VERIFICATION';

const manifestFlag = Flags.string({
  summary: 'List of trusted archives to check against.',
  description:
    "A lab's JSON manifest, an md5sum or sha256sum list, or the kernel build's kernel/kheaders.md5; told apart by content.",
  env: 'KH_MANIFEST',
  helpValue: 'FILE',
  helpGroup: HELP,
});

export const requireManifestFlag = Flags.boolean({
  summary: 'Fail where the manifest does not name the archive.',
  env: 'KH_REQUIRE_MANIFEST',
  allowNo: true,
  helpGroup: HELP,
});

/** How far a command may climb where the shell user's rights do not do. */
export const privilegeFlag = (summary: string) =>
  Flags.option({
    summary,
    description: 'auto tries plainly first, then `adb root`, then `su`.',
    env: 'KH_PRIVILEGE',
    options: ['auto', 'none', 'adb-root', 'su'] as const,
    default: 'auto' as const,
  })();

/** How a pull comes by the archive, and what it is checked against. */
export const pullFlags = {
  manifest: manifestFlag,
  'require-manifest': requireManifestFlag,
  privilege: privilegeFlag('How far to go where the headers are denied to the shell user.'),
  force: Flags.boolean({ summary: 'Transfer and extract again, whatever is here already.' }),
};

/** What the flags of a pull ask for. */
export function pullOptions(flags: InferredFlags<typeof pullFlags>): PullOptions {
  return {
    privilege: flags.privilege,
    requireManifest: flags['require-manifest'],
    force: flags.force,
    ...(flags.manifest === undefined ? {} : { manifestPath: flags.manifest }),
  };
}
