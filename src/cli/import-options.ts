import type { ImportOptions } from '../app/import-headers';
import type { ImportFrom } from '../app/import-source';
import { KhError } from '../core/errors';
import { manifestOptions, type ManifestFlags } from './flags/pull-flags';

interface ImportFlags extends ManifestFlags {
  'from-carve'?: string | undefined;
  index?: number | undefined;
  device?: string | undefined;
  release?: string | undefined;
  config?: string | undefined;
  symvers?: string | undefined;
  force: boolean;
}

/**
 * What is imported: an archive, or what is in an image.
 *
 * @throws KhError USAGE where neither or both are named
 */
export function importFrom(archive: string | undefined, flags: ImportFlags): ImportFrom {
  const { 'from-carve': image, index } = flags;
  if (archive !== undefined && image === undefined) return { archive };
  if (archive === undefined && image !== undefined)
    return { image, ...(index === undefined ? {} : { index }) };
  throw new KhError('USAGE', {
    message: archive === undefined ? 'nothing to import was named' : 'an archive and an image are named',
    hint: 'Name either an archive, or an image with --from-carve.',
  });
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
