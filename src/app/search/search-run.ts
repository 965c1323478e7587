import type { ProofOptions } from '../../archive/carve/prove-headers';
import { KhError } from '../../core/errors';
import type { Finds, Region } from './region';

/** All that was found in an image. */
export interface Search {
  finds: Finds[];
  /** Headers archives that are cut off or damaged: the error says where. */
  damaged: KhError[];
  /** Layers that could not be unpacked. */
  failures: KhError[];
  /** Streams of xz that hold something else. */
  otherStreams: number;
}

export interface SearchOptions extends ProofOptions {
  /** Of the image, for messages. */
  name: string;
}

/** A search under way: what its parts share. */
export interface SearchRun {
  search: Search;
  options: SearchOptions;
  spent: Record<Limited, number>;
  /** For a part that meets a region in the one it is in. */
  searchRegion(region: Region): Promise<void>;
}

/** What an image made to keep a reader busy would have too much of. */
type Limited = 'archives' | 'streams' | 'unpacked';

const LIMITS: Record<Limited, { most: number; what: string }> = {
  archives: { most: 64, what: 'headers archives' },
  /** So many are in a partition full of packed modules. */
  streams: { most: 20_000, what: 'xz streams' },
  unpacked: { most: 1 << 30, what: 'bytes when unpacked' },
};

export const NOTHING_SPENT: Record<Limited, number> = { archives: 0, streams: 0, unpacked: 0 };

/** @throws KhError ARCHIVE_LIMIT where that is more than any image has */
export function spend({ spent, options }: SearchRun, limited: Limited, amount = 1): void {
  spent[limited] += amount;
  const { most, what } = LIMITS[limited];
  if (spent[limited] <= most) return;
  throw new KhError('ARCHIVE_LIMIT', {
    message: `${options.name} has more than ${most} ${what} in it: kh stopped looking`,
    hint: 'Name the partition or the file with the kernel instead of the whole disk.',
  });
}
