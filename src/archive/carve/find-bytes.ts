import type { ByteSource } from '../../core/byte-source';

/** Bytes to look for. */
export interface Needle<Kind extends string> {
  kind: Kind;
  bytes: Buffer;
  /** What it marks begins so many bytes before it, at a multiple of `align`. Found at any byte when left out. */
  within?: { offset: number; align: number };
  /** What else has to be true of so many bytes from the needle's first one on: cheaper here than with a read. */
  fits?: { bytes: number; test: (start: Buffer) => boolean };
}

/** Where something begins that a needle marks. */
export interface Hit<Kind extends string> {
  kind: Kind;
  offset: number;
}

const WINDOW = 1 << 20;
const ZEROS = Buffer.alloc(WINDOW);

/**
 * Looks through a source of any size, a window at a time, and tells of what it
 * finds in the order in which it begins, save that what begins before its
 * needle may come after what lies between. Holes and other runs of zeros cost
 * little more than being read.
 *
 * @param next asked before each window: the place to go on at, for who has seen what lies before
 * @param reached told of each window as it begins
 * @param wanted asked before each window: whether to look for a kind still; all of them when left out
 * @throws what `source.read` throws; or the signal's reason
 */
export async function* findBytes<Kind extends string>(
  source: ByteSource,
  needles: readonly Needle<Kind>[],
  {
    signal,
    next,
    reached = () => undefined,
    wanted = () => true,
  }: {
    signal: AbortSignal;
    next: () => number;
    reached?: (offset: number) => void;
    wanted?: (kind: Kind) => boolean;
  },
): AsyncGenerator<Hit<Kind>> {
  const overlap = Math.max(...needles.map(({ bytes, fits }) => Math.max(bytes.length, fits?.bytes ?? 0))) - 1;
  const room = Buffer.allocUnsafe(Math.min(WINDOW, source.size));
  for (let start = 0; start < source.size;) {
    signal.throwIfAborted();
    start = Math.max(start, next());
    if (start >= source.size) return;
    reached(start);
    const window = await readWindow(source, start, room);
    const last = start + window.length === source.size;
    if (!window.equals(ZEROS.subarray(0, window.length))) {
      yield* hitsIn(
        window,
        start,
        needles.filter(({ kind }) => wanted(kind)),
      );
    }
    if (last) return;
    start += window.length - overlap;
  }
}

/** Into the same memory each time, where the source can: a gigabyte of windows would be collected too late. */
async function readWindow(source: ByteSource, start: number, room: Buffer): Promise<Buffer> {
  const length = Math.min(room.length, source.size - start);
  if (source.readInto === undefined) return source.read(start, length);
  const window = room.subarray(0, length);
  await source.readInto(start, window);
  return window;
}

function hitsIn<Kind extends string>(window: Buffer, start: number, needles: readonly Needle<Kind>[]) {
  const hits: Hit<Kind>[] = [];
  for (const { kind, bytes, fits, within = { offset: 0, align: 1 } } of needles) {
    for (let at = window.indexOf(bytes); at !== -1; at = window.indexOf(bytes, at + 1)) {
      const offset = start + at - within.offset;
      if (offset < 0 || offset % within.align !== 0) continue;
      // What is cut off by the window's end is in the next one, too.
      if (fits === undefined || fits.test(window.subarray(at, at + fits.bytes))) hits.push({ kind, offset });
    }
  }
  return hits.sort((one, other) => one.offset - other.offset);
}
