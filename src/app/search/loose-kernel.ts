import { sliceSource } from '../../core/byte-source';
import { imageKind } from '../../kbuild/image/image-kind';
import { arm64ImageBytes, KERNEL_LIMIT } from '../../kbuild/image/kernel-payload';
import { isBadImage } from './damaged-image';
import { searchBootImage } from './outer-layer';
import { takeMarkedWithin } from './marked-extents';
import type { Finds, Region } from './region';
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

/** A kernel that is not packed, somewhere in a dump or a vmlinux. @returns where to go on */
export async function meetKernel(run: SearchRun, finds: Finds, offset: number): Promise<number> {
  const { source, layers, base, inMemory } = finds.region;
  if (offset === 0 && layers.at(-1) === 'arm64') return 1;
  const header = await source.read(offset, Math.min(HEAD_BYTES, source.size - offset));
  const bytes = imageKind(header) === 'arm64' ? arm64ImageBytes(header) : 0;
  const size = Math.min(bytes, source.size - offset);
  if (size < HEAD_BYTES || size > KERNEL_LIMIT) return offset + 1;
  const kernel = sliceSource(source, offset, size);
  const marked = takeMarkedWithin(finds, offset, size);
  const inner = [...layers, 'arm64' as const];
  await run.searchRegion({ source: kernel, layers: inner, base: base + offset, inMemory, marked });
  return offset + size;
}
