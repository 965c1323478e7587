import { delimiter } from 'node:path';
import * as Flags from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';
import type { ManifestOptions } from '../../app/open-manifest';
import type { PullOptions } from '../../app/pull-headers';
import { KhError } from '../../core/errors';

const HELP = 'VERIFICATION';

const manifestFlag = Flags.string({
  summary: 'List of trusted archives to check against.',
  description:
    "A lab's JSON manifest, an md5sum or sha256sum list, or the kernel build's kernel/kheaders.md5; told apart by content.",
  env: 'KH_MANIFEST',
  helpValue: 'FILE',
  helpGroup: HELP,
});

export const trustedKeyFlag = Flags.string({
  summary: 'Public key, or folder of them: manifests count only if one of these signed; may be repeated.',
  description:
    'PEM files, as `kh manifest keygen` and openssl write them. KH_TRUSTED_KEYS takes several, with : between them (; on Windows).',
  env: 'KH_TRUSTED_KEYS',
  multiple: true,
  multipleNonGreedy: true,
  helpValue: 'FILE',
  helpGroup: HELP,
});

/**
 * What `trustedKeyFlag` gives: a list from the command line, one text from the environment.
 * @throws KhError USAGE for a text without a path, which must not mean "any key"
 */
export function trustedKeys(given: string | string[] | undefined): string[] {
  if (typeof given !== 'string') return given ?? [];
  const paths = given.split(delimiter).filter((path) => path !== '');
  if (paths.length > 0) return paths;
  throw new KhError('USAGE', { message: `KH_TRUSTED_KEYS names no key: "${given}"` });
}

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

/** What archives are checked against. */
export const manifestFlags = {
  manifest: manifestFlag,
  'require-manifest': requireManifestFlag,
  'trusted-key': trustedKeyFlag,
};

export type ManifestFlags = Omit<InferredFlags<typeof manifestFlags>, 'json'>;

/** What `manifestFlags` ask for. @throws KhError as `trustedKeys` */
export function manifestOptions(flags: ManifestFlags): ManifestOptions {
  return {
    requireManifest: flags['require-manifest'],
    trustedKeys: trustedKeys(flags['trusted-key']),
    ...(flags.manifest === undefined ? {} : { manifestPath: flags.manifest }),
  };
}

/** How a pull comes by the archive, and what it is checked against. */
export const pullFlags = {
  ...manifestFlags,
  privilege: privilegeFlag('How far to go where the headers are denied to the shell user.'),
  force: Flags.boolean({ summary: 'Transfer and extract again, whatever is here already.' }),
};

/** What the flags of a pull ask for. @throws KhError as `manifestOptions` */
export function pullOptions(flags: InferredFlags<typeof pullFlags>): PullOptions {
  return { ...manifestOptions(flags), privilege: flags.privilege, force: flags.force };
}
