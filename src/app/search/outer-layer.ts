import { bufferSource, sliceSource, type ByteSource } from '../../core/byte-source';
import { KhError } from '../../core/errors';
import { findBootKernel } from '../../kbuild/image/boot-image';
import type { ImageKind } from '../../kbuild/image/image-kind';
import { KERNEL_LIMIT, unpackLayer } from '../../kbuild/image/kernel-payload';
import { damagedImage, isBadImage } from './damaged-image';
import type { Region } from './region';
import { spend, type SearchRun } from './search-run';

/**
 * Takes off the layer that a region begins with, and searches what is in it.
 *
 * @param kind of the region
 * @returns where the region is still to be scanned from: its start, where it has no such layer
 */
export async function searchInOuterLayer(
  run: SearchRun,
  region: Region,
  kind: ImageKind | undefined,
): Promise<number> {
  const { source, layers } = region;
  try {
    switch (kind) {
      case 'boot':
        return await searchBootImage(run, region, 0);
      case 'gzip':
      case 'lz4-legacy':
      case 'lz4-frame':
      case 'zstd':
      case 'zboot':
      case 'bzImage': {
        const { name, signal } = run.options;
        const packed = await readWhole(source, name);
        const bytes = await unpackLayer(kind, packed, name, { limit: KERNEL_LIMIT, signal });
        await searchUnpacked(run, bytes, [...layers, kind]);
        return source.size;
      }
      case 'arm64':
      case 'elf':
      case 'xz': // Its scan meets it as the first stream.
      case undefined:
        return 0;
    }
  } catch (error) {
    if (!isBadImage(error)) throw error;
    run.search.failures.push(damagedImage(error));
    // What is too large to be unpacked may be a dump that begins so, with more behind.
    return kind === 'boot' || source.size > KERNEL_LIMIT ? 0 : source.size;
  }
}

/** Searches what something packed holds. */
export async function searchUnpacked(run: SearchRun, bytes: Buffer, layers: ImageKind[]): Promise<void> {
  spend(run, 'unpacked', bytes.length);
  await run.searchRegion({ source: bufferSource(bytes), layers, base: 0, inMemory: true });
}

/**
 * Searches the kernel of the boot image that begins at an offset of a region.
 *
 * @returns the end of the boot image's kernel
 * @throws KhError BUILD_BAD_IMAGE
 */
export async function searchBootImage(
  run: SearchRun,
  { source, layers, base, inMemory }: Region,
  at: number,
): Promise<number> {
  const rest = sliceSource(source, at, source.size - at);
  const { offset, size } = await findBootKernel(rest, run.options.name);
  const kernel = sliceSource(rest, offset, size);
  await run.searchRegion({
    source: kernel,
    layers: [...layers, 'boot'],
    base: base + at + offset,
    inMemory,
  });
  return at + offset + size;
}

async function readWhole(source: ByteSource, name: string): Promise<Buffer> {
  if (source.size <= KERNEL_LIMIT) return source.read(0, source.size);
  throw new KhError('BUILD_BAD_IMAGE', {
    message: `${name} is packed and has ${source.size} bytes; kh unpacks up to ${KERNEL_LIMIT}`,
    hint: 'Unpack it first.',
  });
}
