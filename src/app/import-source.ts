import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { openFileSource, type ByteSource } from '../core/byte-source';
import { KhError } from '../core/errors';
import { describeImage, imageKind } from '../kbuild/image/image-kind';
import type { SymversEntry } from '../kbuild/symvers/symvers-file';
import { carveImage, type CarveContext } from './carve-image';
import { kernelWith } from './choose-carved';
import type { Context } from './context';
import { openPack, type PackFrom } from './import-pack';

/** Where headers are imported from. */
export type ImportFrom =
  | { archive: string }
  /** `index`: which of several kernels in it. */
  | { image: string; index?: number }
  | PackFrom;

/** An archive on this machine, and what else is known of its kernel. */
export interface ImportSource extends AsyncDisposable {
  /** Of the file that was named. */
  path: string;
  origin: 'file' | 'image';
  archive: ByteSource;
  /** `uname -r` and `uname -v` of the kernel itself, where that was at hand. */
  release?: string;
  version?: string;
  config?: Buffer;
  symvers?: SymversEntry[];
  /** What the archive's md5 has to be, where something says so. */
  md5?: string;
  /** The archive of the build files that go with it, and what messages call that. */
  kernelBuild?: { path: string; name: string };
}

/**
 * Opens what headers are imported from.
 *
 * @throws KhError USAGE where it cannot be read, or is an image and no archive; and as `carveImage`, `kernelWith` and `openPack`
 */
export async function openImportSource(from: ImportFrom, context: Context): Promise<ImportSource> {
  if ('pack' in from) return openPack(from, context);
  return 'archive' in from ? openArchive(from.archive) : openImage(from.image, from.index, context);
}

async function openArchive(file: string): Promise<ImportSource> {
  const path = resolve(file);
  const there = await stat(path).catch(() => undefined); // what it is else, opening it tells
  if (there?.isDirectory() === true) throw folderOf(path);
  const archive = await openFileSource(path);
  const close = () => archive[Symbol.asyncDispose]();
  try {
    const start = await archive.read(0, Math.min(4096, archive.size));
    const kind = imageKind(start);
    if (kind !== undefined && kind !== 'xz') throw noArchive(path, describeImage(start));
    return { path, origin: 'file', archive, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openImage(
  file: string,
  index: number | undefined,
  context: CarveContext,
): Promise<ImportSource> {
  const carving = await carveImage(file, context);
  try {
    const { headers: archive, config, symvers, facts } = await kernelWith(carving, 'headers', index);
    if (archive === undefined) throw new Error('a kernel with headers has none');
    // The archive tells its release itself; the kernel around it does where its version was found.
    const { release, version } = facts;
    return {
      path: carving.image,
      origin: 'image',
      archive,
      ...(version === undefined || release === undefined ? {} : { release, version }),
      ...(config && { config }),
      ...(symvers && { symvers }),
      [Symbol.asyncDispose]: () => carving[Symbol.asyncDispose](),
    };
  } catch (error) {
    await carving[Symbol.asyncDispose]();
    throw error;
  }
}

function folderOf(path: string): KhError {
  return new KhError('USAGE', {
    message: `${path} is a folder, and no archive`,
    hint: `If \`kh pack\` wrote to it, or a kernel was built in it: kh import --from-pack ${path}`,
    details: { path },
  });
}

function noArchive(path: string, what: string): KhError {
  return new KhError('USAGE', {
    message: `${path} is no headers archive: it is ${what}`,
    hint: `If a kernel or kheaders.ko is in it: kh import --from-carve ${path}`,
  });
}
