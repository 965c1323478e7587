import type { ProofOptions } from '../../archive/carve/prove-headers';
import { KhError } from '../../core/errors';
import type { Finds, Region } from './region';

/** What became of a search, beside what it found. */
export interface Search {
  /** Headers archives that are cut off or damaged: the error says where. */
  damaged: KhError[];
  /** Layers that could not be unpacked. */
  failures: KhError[];
  /** Streams of xz that hold something else. */
  otherStreams: number;
  /** Why the search did not come to the end. */
  stopped?: KhError;
}

export interface SearchOptions extends ProofOptions {
  /** Of the image, for messages. */
  name: string;
  /** Takes what a region holds, as soon as it has been searched: of one in memory, nothing larger is to be kept. */
  found: (finds: Finds) => Promise<void>;
  warn: (message: string) => void;
  /** Hears how far into the image the search is, at each window. */
  reached: (offset: number) => void;
}

/** A search under way: what its parts share. */
export interface SearchRun {
  search: Search;
  options: SearchOptions;
  spent: Record<Limited, number>;
  /** Bytes unpacked to see whether they are a kernel. */
  lookedAt: number;
  /** Set once that has been too many: what is packed is not looked for any more. */
  packedGivenUp: boolean;
  /** For a part that meets a region in the one it is in. */
  searchRegion(region: Region): Promise<void>;
}

/** What an image made to keep a reader busy would have too much of. */
type Limited = 'archives' | 'streams' | 'unpacked' | 'looks';

const LIMITS: Record<Limited, { most: number; what: string }> = {
  archives: { most: 64, what: 'headers archives' },
  /** So many are in a partition full of packed modules. */
  streams: { most: 20_000, what: 'xz streams' },
  unpacked: { most: 1 << 30, what: 'bytes when unpacked' },
  /** At what merely has the mark of something. */
  looks: { most: 50_000, what: 'places that look like a kernel, and are none,' },
};

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

/** Whether `spend` refused. */
export function isTooMuch(error: unknown): error is KhError {
  return error instanceof KhError && error.code === 'ARCHIVE_LIMIT';
}

/** A run that has found nothing yet. */
export function startSearch(
  options: SearchOptions,
  searchRegion: (run: SearchRun, region: Region) => Promise<void>,
): SearchRun {
  const run: SearchRun = {
    search: { damaged: [], failures: [], otherStreams: 0 },
    options,
    spent: { archives: 0, streams: 0, unpacked: 0, looks: 0 },
    lookedAt: 0,
    packedGivenUp: false,
    searchRegion: (region) => searchRegion(run, region),
  };
  return run;
}

/** Whether so much more may be unpacked in this run. */
export function canUnpack({ spent }: SearchRun, bytes: number): boolean {
  return spent.unpacked + bytes <= LIMITS.unpacked.most;
}
