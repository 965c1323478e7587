import type { ByteSource } from '../../core/byte-source';
import { crc32 } from '../../core/crc32';

/** How far an xz stream reaches, as far as its structure tells without decoding it. */
export type MeasuredXz =
  | { state: 'whole'; bytes: number }
  /** `bytes`: up to where it makes sense. */
  | { state: 'truncated' | 'damaged'; bytes: number };

export const XZ_MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);

export const XZ_HEADER_BYTES = 12;
const FOOTER_BYTES = 12;
const FOOTER_MAGIC = 0x5a59;
const LZMA2 = 0x21;

/** Of a block's check, by the type that the stream's flags name. */
const CHECK_BYTES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/** A stream of 256 MB has some 4,000 pieces, in whatever blocks; more are made to keep a reader busy. */
const MOST_PIECES = 100_000;

/**
 * Measures the first .xz stream at `offset` by walking along its structure:
 * headers with their CRCs, the lengths that LZMA2 puts before each of its
 * pieces, and the index and footer that have to agree with what came before.
 * Bytes that merely look like the magic do not get past the first CRC.
 *
 * @returns undefined where no stream begins
 * @throws what `source.read` throws
 * @see https://tukaani.org/xz/xz-file-format.txt, and for LZMA2 lzma2_decoder.c of XZ Utils
 */
export async function measureXz(source: ByteSource, offset: number): Promise<MeasuredXz | undefined> {
  if (offset + XZ_HEADER_BYTES > source.size) return undefined;
  const flags = flagsOf(await source.read(offset, XZ_HEADER_BYTES));
  if (flags === undefined) return undefined;
  const cursor = new Cursor(source, offset + XZ_HEADER_BYTES);
  try {
    return await measureBlocks(cursor, offset, flags);
  } catch (error) {
    const bytes = cursor.at - offset;
    if (error instanceof Ended) return { state: 'truncated', bytes };
    if (error instanceof Nonsense) return { state: 'damaged', bytes };
    throw error;
  }
}

class Ended extends Error {}
class Nonsense extends Error {}

/** Whether a stream's header begins so: 12 bytes, with a CRC of their own. */
export function isXzHeader(header: Buffer): boolean {
  return header.length >= XZ_HEADER_BYTES && flagsOf(header) !== undefined;
}

/** The flags of a stream's header; undefined where it is none. */
function flagsOf(header: Buffer): number | undefined {
  const flags = header.readUInt16LE(6);
  const sound =
    header.subarray(0, 6).equals(XZ_MAGIC) &&
    (flags & 0xf0ff) === 0 &&
    crc32(header.subarray(6, 8)) === header.readUInt32LE(8);
  return sound ? flags : undefined;
}

async function measureBlocks(cursor: Cursor, start: number, flags: number): Promise<MeasuredXz | undefined> {
  const check = CHECK_BYTES[(flags >> 8) & 15] ?? 0;
  let blocks = 0;
  let left = MOST_PIECES;
  while ((await cursor.peek()) !== 0) {
    const block = cursor.at;
    const header = await readBlockHeader(cursor);
    if (header === undefined && blocks === 0) return undefined;
    if (header === undefined) throw new Nonsense();
    left -= await skipPieces(cursor, left);
    cursor.at += -(cursor.at - block) & 3;
    await cursor.skip(check);
    blocks += 1;
  }
  const indexBytes = await readIndex(cursor, blocks);
  const footer = await cursor.take(FOOTER_BYTES);
  const agrees =
    crc32(footer.subarray(4, 10)) === footer.readUInt32LE(0) &&
    (footer.readUInt32LE(4) + 1) * 4 === indexBytes &&
    footer.readUInt16LE(8) === flags &&
    footer.readUInt16LE(10) === FOOTER_MAGIC;
  if (!agrees) throw new Nonsense();
  return { state: 'whole', bytes: cursor.at - start };
}

/** Passes over a block's header. @returns undefined where it is none */
async function readBlockHeader(cursor: Cursor): Promise<true | undefined> {
  const size = (await cursor.peek()) * 4 + 4;
  const header = await cursor.take(size);
  if (size < 8 || crc32(header.subarray(0, -4)) !== header.readUInt32LE(size - 4)) return undefined;
  const flags = header.readUInt8(1);
  if ((flags & 0x3c) !== 0) return undefined;
  const numbers = new Numbers(header.subarray(2, -4));
  if (flags & 0x40) numbers.next();
  if (flags & 0x80) numbers.next();
  let filter = 0;
  for (let left = (flags & 3) + 1; left > 0; left--) {
    filter = numbers.next();
    numbers.skip(numbers.next());
  }
  return filter === LZMA2 ? true : undefined;
}

/** What LZMA2 made of a block: pieces, each after its length. @returns how many, with the mark of their end */
async function skipPieces(cursor: Cursor, most: number): Promise<number> {
  for (let pieces = 1; pieces <= most; pieces++) {
    const control = (await cursor.take(1)).readUInt8(0);
    if (control === 0) return pieces;
    if (control >= 0x80) {
      const packed = (await cursor.take(4)).readUInt16BE(2) + 1;
      await cursor.skip(packed + (control >= 0xc0 ? 1 : 0));
    } else if (control <= 2) {
      await cursor.skip((await cursor.take(2)).readUInt16BE(0) + 1);
    } else throw new Nonsense();
  }
  throw new Nonsense();
}

/** @returns its size in bytes */
async function readIndex(cursor: Cursor, blocks: number): Promise<number> {
  const start = cursor.at;
  const body: Buffer[] = [await cursor.take(1)];
  const number = async (): Promise<number> => {
    const bytes: Buffer[] = [];
    do {
      if (bytes.length === 9) throw new Nonsense();
      bytes.push(await cursor.take(1));
    } while ((bytes.at(-1)?.readUInt8(0) ?? 0) >= 0x80);
    body.push(...bytes);
    return new Numbers(Buffer.concat(bytes)).next();
  };
  if ((await number()) !== blocks) throw new Nonsense();
  for (let record = 0; record < 2 * blocks; record++) await number();
  body.push(await cursor.take(-(cursor.at - start) & 3));
  if (crc32(Buffer.concat(body)) !== (await cursor.take(4)).readUInt32LE(0)) throw new Nonsense();
  return cursor.at - start;
}

/** Numbers of variable length, seven bits to a byte. */
class Numbers {
  #at = 0;
  constructor(private readonly bytes: Buffer) {}

  next(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.#at++];
      if (byte === undefined) throw new Nonsense();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }
}

const WINDOW = 64 * 1024;
/** Most of what merely begins like a stream ends with its first block's header. */
const FIRST_WINDOW = 1024;

/** A place in a source, with what comes next at hand. */
class Cursor {
  #window: Buffer = Buffer.alloc(0);
  #start = 0;
  #size = FIRST_WINDOW;

  constructor(
    private readonly source: ByteSource,
    public at: number,
  ) {}

  async peek(): Promise<number> {
    const [byte = 0] = await this.take(1);
    this.at -= 1;
    return byte;
  }

  async take(length: number): Promise<Buffer> {
    const { at, source } = this;
    if (at + length > source.size) throw new Ended();
    const within = at >= this.#start && at + length <= this.#start + this.#window.length;
    if (!within) {
      this.#start = at;
      this.#window = await source.read(at, Math.min(Math.max(this.#size, length), source.size - at));
      this.#size = WINDOW;
    }
    this.at += length;
    return this.#window.subarray(at - this.#start, at - this.#start + length);
  }

  async skip(length: number): Promise<void> {
    if (this.at + length > this.source.size) throw new Ended();
    this.at += length;
    return Promise.resolve();
  }
}
