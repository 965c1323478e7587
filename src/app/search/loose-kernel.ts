import { sliceSource } from '../../core/byte-source';
import { imageKind } from '../../kbuild/image/image-kind';
import { arm64ImageBytes, KERNEL_LIMIT } from '../../kbuild/image/kernel-payload';
import { isBadImage } from './damaged-image';
import { searchBootImage } from './outer-layer';
import type { Region } from './region';
import type { SearchRun } from './search-run';

export const HEAD_BYTES = 4096;

/** A boot image, somewhere in a dump. @returns where to go on */
export async function meetBootImage(run: SearchRun, region: Region, offset: number): Promise<number> {
  try {
    return await searchBootImage(run, region, offset);
  } catch (error) {
    // What merely begins like a boot image is none.
    if (isBadImage(error)) return offset + 1;
    throw error;
  }
}

/** A kernel that is not packed, somewhere in a dump. @returns where to go on */
export async function meetKernel(
  run: SearchRun,
  { source, layers, base, inMemory }: Region,
  offset: number,
): Promise<number> {
  if (offset === 0 && layers.at(-1) === 'arm64') return 1;
  const header = await source.read(offset, Math.min(HEAD_BYTES, source.size - offset));
  const bytes = imageKind(header) === 'arm64' ? arm64ImageBytes(header) : 0;
  const size = Math.min(bytes, source.size - offset);
  if (size < HEAD_BYTES || size > KERNEL_LIMIT) return offset + 1;
  const kernel = sliceSource(source, offset, size);
  await run.searchRegion({ source: kernel, layers: [...layers, 'arm64'], base: base + offset, inMemory });
  return offset + size;
}
