import type { ByteSource } from '../../core/byte-source';

/** LZ4 data that breaks the format, or would unpack to more than is allowed. */
export class Lz4Fault extends Error {}

/** A block of the legacy format unpacks to this; only the last to less. */
const LEGACY_BLOCK = 8 << 20;
/** The most that LZ4 makes of it. */
const LEGACY_BOUND = LEGACY_BLOCK + Math.floor(LEGACY_BLOCK / 255) + 16;
const LEGACY_MAGIC = 0x184c2102;
const UNCOMPRESSED = 0x80000000;

/**
 * Unpacks LZ4's legacy format, which is what the kernel's build and
 * bootloaders use: blocks of 8 MiB, each after its packed size. No end is
 * marked, so a short block is the last one, and what follows it is ignored.
 *
 * @param limit most bytes to give
 * @throws Lz4Fault
 * @see lz4 doc/lz4_Frame_format.md, "Legacy frame"
 */
export function unpackLz4Legacy(bytes: Buffer, limit: number): Buffer {
  return readLegacy(bytes, limit).bytes;
}

function readLegacy(bytes: Buffer, limit: number): Unpacked {
  const output = new Output(limit);
  let at = 4;
  while (at + 4 <= bytes.length) {
    const size = bytes.readUInt32LE(at);
    if (size === LEGACY_MAGIC) {
      at += 4;
      continue;
    }
    if (size === 0 || size > LEGACY_BOUND) break;
    if (at + 4 + size > bytes.length) throw new Lz4Fault('it ends within a block');
    const start = output.length;
    output.unpackBlock(bytes, at + 4, at + 4 + size, { room: LEGACY_BLOCK, window: start });
    at += 4 + size;
    const more = at + 4 <= bytes.length && bytes.readUInt32LE(at) === LEGACY_MAGIC;
    if (output.length - start < LEGACY_BLOCK && !more) break;
  }
  if (output.length === 0) throw new Lz4Fault('it holds nothing');
  return { bytes: output.bytes(), packedBytes: at };
}

/**
 * Unpacks the first frame of LZ4's frame format. Checksums are passed over.
 *
 * @param limit most bytes to give
 * @throws Lz4Fault
 * @see lz4 doc/lz4_Frame_format.md
 */
export function unpackLz4Frame(bytes: Buffer, limit: number): Buffer {
  return readFrame(bytes, limit).bytes;
}

function readFrame(bytes: Buffer, limit: number): Unpacked {
  const { linked, blockChecksums, contentSize, blockSize, start } = frameHeader(bytes);
  const output = new Output(limit);
  let at = start;
  for (;;) {
    if (at + 4 > bytes.length) throw new Lz4Fault('it ends before its end mark');
    const word = bytes.readUInt32LE(at);
    if (word === 0) break;
    const size = word % UNCOMPRESSED;
    const end = at + 4 + size;
    if (end > bytes.length) throw new Lz4Fault('it ends within a block');
    if (size > blockSize) throw new Lz4Fault(`it has a block of ${size} bytes`);
    if (word >= UNCOMPRESSED) output.copy(bytes.subarray(at + 4, end));
    else {
      const window = linked ? 0 : output.length;
      output.unpackBlock(bytes, at + 4, end, { room: blockSize, window });
    }
    at = end + (blockChecksums ? 4 : 0);
  }
  if (contentSize !== undefined && contentSize !== BigInt(output.length)) {
    throw new Lz4Fault(`it holds ${output.length} bytes, and should hold ${contentSize}`);
  }
  return { bytes: output.bytes(), packedBytes: at + 4 };
}

/** What was unpacked, and how much of the input that took. */
export interface Unpacked {
  bytes: Buffer;
  packedBytes: number;
}

/** As `unpackLz4Legacy` and `unpackLz4Frame`, and tells where the packed data end, save for a checksum. */
export function unpackLz4(kind: Lz4Kind, bytes: Buffer, limit: number): Unpacked {
  return kind === 'lz4-legacy' ? readLegacy(bytes, limit) : readFrame(bytes, limit);
}

export type Lz4Kind = 'lz4-legacy' | 'lz4-frame';

/**
 * The first bytes that packed data unpack to, as far as a part of their first block tells.
 *
 * @param bytes from the magic on
 */
export function startOfLz4(kind: Lz4Kind, bytes: Buffer): Buffer {
  const output = new Output(START_BYTES);
  if (bytes.length < FRAME_HEADER_BYTES) return output.bytes();
  try {
    const at = kind === 'lz4-legacy' ? 4 : frameHeader(bytes).start;
    const word = bytes.readUInt32LE(at);
    const end = Math.min(bytes.length, at + 4 + (word % UNCOMPRESSED));
    if (kind === 'lz4-frame' && word >= UNCOMPRESSED) return bytes.subarray(at + 4, end);
    output.unpackBlock(bytes, at + 4, end, { room: START_BYTES, window: 0 });
  } catch (error) {
    // Cut off as it is, it cannot end well.
    if (!(error instanceof Lz4Fault)) throw error;
  }
  return output.bytes();
}

const START_BYTES = 64 * 1024;

/** Kernels have hundreds; more are made to keep a reader busy. */
const MOST_BLOCKS = 10_000;

/**
 * Measures packed data from the lengths in front of their blocks, without
 * unpacking them. Behind the legacy format, which marks no end, that may be up
 * to a block too much.
 *
 * @param source from the magic on
 * @returns bytes; undefined where they are cut off, or make no sense
 * @throws what `source.read` throws
 */
export async function measureLz4(kind: Lz4Kind, source: ByteSource): Promise<number | undefined> {
  const header = await source.read(0, Math.min(FRAME_HEADER_BYTES, source.size));
  const form = kind === 'lz4-legacy' ? LEGACY_FORM : frameForm(header);
  if (form === undefined) return undefined;
  const { start, blockSize, blockChecksums } = form;
  let at = start;
  for (let block = 0; block < MOST_BLOCKS && at + 4 <= source.size; block++) {
    const word = (await source.read(at, 4)).readUInt32LE(0);
    const size = kind === 'lz4-legacy' ? word : word % UNCOMPRESSED;
    if (kind === 'lz4-frame' && word === 0) return at + 4;
    if (kind === 'lz4-legacy' && word === LEGACY_MAGIC) at += 4;
    else if (size === 0 || size > blockSize) return kind === 'lz4-legacy' && block > 0 ? at : undefined;
    else if (at + 4 + size > source.size) return kind === 'lz4-legacy' && block > 0 ? at : undefined;
    else at += 4 + size + (blockChecksums ? 4 : 0);
  }
  return kind === 'lz4-legacy' && at > start ? Math.min(at, source.size) : undefined;
}

type BlockForm = Pick<FrameHeader, 'start' | 'blockSize' | 'blockChecksums'>;

const LEGACY_FORM: BlockForm = { start: 4, blockSize: LEGACY_BOUND, blockChecksums: false };

/** Undefined for a header that makes no sense. */
function frameForm(bytes: Buffer): BlockForm | undefined {
  try {
    return frameHeader(bytes);
  } catch (error) {
    if (error instanceof Lz4Fault) return undefined;
    throw error;
  }
}

const FRAME_HEADER_BYTES = 19;

interface FrameHeader {
  /** Blocks refer to what came before them. */
  linked: boolean;
  blockChecksums: boolean;
  contentSize: bigint | undefined;
  /** Most that a block unpacks to. */
  blockSize: number;
  /** Of the first block. */
  start: number;
}

function frameHeader(bytes: Buffer): FrameHeader {
  if (bytes.length < FRAME_HEADER_BYTES) throw new Lz4Fault('it ends within its header');
  const flags = bytes.readUInt8(4);
  const sizeCode = (bytes.readUInt8(5) >> 4) & 7;
  if (flags >> 6 !== 1) throw new Lz4Fault(`it is of version ${flags >> 6} of the frame format`);
  if (sizeCode < 4) throw new Lz4Fault(`its block size has the code ${sizeCode}`);
  if ((flags & 1) !== 0) throw new Lz4Fault('it needs a dictionary');
  const sized = (flags & 8) !== 0;
  return {
    linked: (flags & 0x20) === 0,
    blockChecksums: (flags & 0x10) !== 0,
    contentSize: sized ? bytes.readBigUInt64LE(6) : undefined,
    blockSize: 1 << (8 + 2 * sizeCode),
    start: sized ? 15 : 7,
  };
}

/** What was unpacked so far, in one piece, as matches reach back into it. */
class Output {
  length = 0;
  #bytes = Buffer.alloc(0);

  constructor(private readonly limit: number) {}

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  copy(bytes: Buffer): void {
    this.#makeRoom(bytes.length);
    bytes.copy(this.#bytes, this.length);
    this.length += bytes.length;
  }

  /**
   * @param room most bytes that the block may unpack to
   * @param window where in the output the bytes begin that matches may reach
   * @see lz4 doc/lz4_Block_format.md
   */
  unpackBlock(
    input: Buffer,
    start: number,
    end: number,
    { room, window }: { room: number; window: number },
  ): void {
    this.#makeRoom(Math.min(room, this.limit - this.length));
    const output = this.#bytes;
    const limit = Math.min(output.length, this.length + room);
    let from = start;
    let to = this.length;
    const longLength = (short: number): number => {
      let length = short;
      for (let more = 255; more === 255; length += more) {
        if (from >= end) throw new Lz4Fault('a block ends within a length');
        more = input[from++] ?? 0;
      }
      return length;
    };
    try {
      while (from < end) {
        const token = input[from++] ?? 0;
        const literals = token >> 4 === 15 ? longLength(15) : token >> 4;
        if (literals > end - from) throw new Lz4Fault('a block ends within a literal');
        if (literals > limit - to) throw this.#tooMuch(room);
        if (literals > 0) {
          copyLiterals(input, from, output, to, literals);
          from += literals;
          to += literals;
        }
        if (from === end) break;
        if (end - from < 2) throw new Lz4Fault('a block ends within an offset');
        const distance = (input[from] ?? 0) | ((input[from + 1] ?? 0) << 8);
        from += 2;
        const match = ((token & 15) === 15 ? longLength(15) : token & 15) + 4;
        if (distance === 0 || distance > to - window) throw new Lz4Fault('a match reaches out of the data');
        if (match > limit - to) throw this.#tooMuch(room);
        copyMatch(output, to, distance, match);
        to += match;
      }
    } finally {
      this.length = to;
    }
  }

  #tooMuch(room: number): Lz4Fault {
    const most = Math.min(room, this.limit - this.length);
    return new Lz4Fault(
      most < room
        ? `it unpacks to more than ${this.limit} bytes`
        : `a block unpacks to more than ${room} bytes`,
    );
  }

  #makeRoom(more: number): void {
    const needed = this.length + more;
    if (needed > this.limit) throw new Lz4Fault(`it unpacks to more than ${this.limit} bytes`);
    if (needed <= this.#bytes.length) return;
    const bytes = Buffer.allocUnsafe(Math.min(this.limit, Math.max(needed, 2 * this.#bytes.length)));
    this.#bytes.copy(bytes, 0, 0, this.length);
    this.#bytes = bytes;
  }
}

/** Below this, a loop beats the call that copies. */
const SHORT = 32;

function copyLiterals(input: Buffer, from: number, output: Buffer, to: number, length: number): void {
  if (length >= SHORT) output.set(input.subarray(from, from + length), to);
  else for (let i = 0; i < length; i++) output[to + i] = input[from + i] ?? 0;
}

/** A match may overlap with what it makes, and then repeats itself. */
function copyMatch(output: Buffer, to: number, distance: number, length: number): void {
  const from = to - distance;
  if (length >= SHORT && distance >= length) output.copyWithin(to, from, from + length);
  else for (let i = 0; i < length; i++) output[to + i] = output[from + i] ?? 0;
}
