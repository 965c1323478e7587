import type { ProvenHeaders } from '../../archive/carve/prove-headers';
import type { ByteSource } from '../../core/byte-source';
import type { ImageKind } from '../../kbuild/image/image-kind';
import type { KernelBanner } from '../../kbuild/image/kernel-banner';

/** A part of an image that is searched as one: a kernel, what something packed holds, or all of it. */
export interface Region {
  source: ByteSource;
  /** What it was found in, outermost first, and what it is, where that is known. */
  layers: ImageKind[];
  /** Its place: in the image, or in what the last packed layer unpacks to. */
  base: number;
  /** Whether it is something unpacked: all of it is in memory as long as it is referred to. */
  inMemory: boolean;
  /** Where what is around it says that archives are, in it. */
  marked?: Extent[];
}

/** Where an archive lies, as something other than its own bytes tells. */
export interface Extent {
  by: 'symbols' | 'markers';
  start: number;
  end: number;
}

export interface FoundArchive {
  /** In its region. */
  offset: number;
  bytes: number;
  foundBy: 'symbols' | 'markers' | 'scan';
  proof: ProvenHeaders;
}

/** What a region holds. */
export interface Finds {
  region: Region;
  /** Where archives have to be. */
  marked: Extent[];
  archives: FoundArchive[];
  configs: { offset: number; text: Buffer }[];
  banners: KernelBanner[];
}

/** A place in a region for a message: "at byte 4096 (in boot, gzip)". */
export function placeIn({ layers, base }: Region, offset: number): string {
  const within = layers.length === 0 ? '' : ` (in ${layers.join(', ')})`;
  return `at byte ${base + offset}${within}`;
}
