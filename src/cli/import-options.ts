import type { ImportOptions } from '../app/import-headers';
import type { ImportFrom } from '../app/import-source';
import { KhError } from '../core/errors';
import { manifestOptions, type ManifestFlags } from './flags/pull-flags';

interface ImportFlags extends ManifestFlags {
  'from-carve'?: string | undefined;
  'from-pack'?: string | undefined;
  index?: number | undefined;
  device?: string | undefined;
  release?: string | undefined;
  config?: string | undefined;
  symvers?: string | undefined;
  force: boolean;
}

/**
 * What is imported: an archive, what is in an image, or what `kh pack` wrote or could.
 *
 * @param env says of which time a build is packed, as for kernel builds
 * @throws KhError USAGE where none or several are named
 */
export function importFrom(
  archive: string | undefined,
  flags: ImportFlags,
  env: NodeJS.ProcessEnv,
): ImportFrom {
  const { 'from-carve': image, 'from-pack': pack, index } = flags;
  const named = [archive, image, pack].filter((one) => one !== undefined);
  if (named.length !== 1) {
    throw new KhError('USAGE', {
      message:
        named.length === 0
          ? 'nothing to import was named'
          : `${named.length} things to import are named: ${named.join(', ')}`,
      hint: 'Name either an archive, or an image with --from-carve, or a folder with --from-pack.',
    });
  }
  if (archive !== undefined) return { archive };
  if (image !== undefined) return { image, ...(index === undefined ? {} : { index }) };
  const { KBUILD_BUILD_TIMESTAMP: timestamp, SOURCE_DATE_EPOCH: epoch } = env;
  return { pack: pack ?? '', timestamp, epoch };
}

/** What the flags ask for. */
export function importOptions(flags: ImportFlags): ImportOptions {
  const { device, release, config, symvers, force } = flags;
  return {
    ...manifestOptions(flags),
    force,
    ...(device === undefined ? {} : { device }),
    ...(release === undefined ? {} : { release }),
    ...(config === undefined ? {} : { configPath: config }),
    ...(symvers === undefined ? {} : { symversPath: symvers }),
  };
}
