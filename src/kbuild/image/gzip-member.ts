import { promisify } from 'node:util';
import { constants, createInflateRaw, inflateRaw, inflateRawSync, type ZlibOptions } from 'node:zlib';
import { chunksOf, type ByteSource } from '../../core/byte-source';
import { crc32 } from '../../core/crc32';

/** gzip data that breaks the format. */
export class GzipFault extends Error {}

interface Inflated {
  buffer: Buffer;
  /** Counts what went in. */
  engine: { bytesWritten: number };
}

/** With `info`, which the types of Node do not know. */
const inflate = promisify(inflateRaw) as unknown as (
  bytes: Buffer,
  options: ZlibOptions & { info: true },
) => Promise<Inflated>;

/**
 * Unpacks the first member of a gzip file and ignores what follows: a kernel
 * is often followed by device trees, which Node's own gunzip would take for a
 * damaged second member.
 *
 * @param limit most bytes to give
 * @throws GzipFault
 * @see RFC 1952
 */
export async function unpackGzipMember(bytes: Buffer, limit: number): Promise<Buffer> {
  const start = endOfHeader(bytes);
  const { buffer, engine } = await inflateMember(bytes.subarray(start), limit);
  const end = start + engine.bytesWritten;
  if (end + 8 > bytes.length) throw new GzipFault('it is cut off');
  const [checksum, size] = [bytes.readUInt32LE(end), bytes.readUInt32LE(end + 4)];
  if (size !== buffer.length || checksum !== crc32(buffer)) throw new GzipFault('its checksum is wrong');
  return buffer;
}

const PIECE = 1 << 20;
/** That zlib takes for one. */
const SMALLEST_PIECE = 64;

async function inflateMember(bytes: Buffer, limit: number): Promise<Inflated> {
  // Where nothing follows the member, its last word is its size: room for all spares copying it from pieces.
  const told = bytes.length < 4 ? 0 : bytes.readUInt32LE(bytes.length - 4);
  const isSize = told >= Math.max(SMALLEST_PIECE, bytes.length) && told < limit;
  const chunkSize = isSize ? told + 1 : PIECE;
  try {
    return await inflate(bytes, { maxOutputLength: limit, chunkSize, info: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw new GzipFault(`it unpacks to more than ${limit} bytes`);
    if (code === 'Z_BUF_ERROR') throw new GzipFault('it is cut off');
    if (code === 'Z_DATA_ERROR') throw new GzipFault('it is damaged', { cause: error });
    throw error;
  }
}

const EXTRA = 4;
const TEXTS = [8, 16]; // a file's name, and a comment
const HEADER_CRC = 2;

function endOfHeader(bytes: Buffer): number {
  if (bytes.length < 18) throw new GzipFault('it is cut off');
  const flags = bytes.readUInt8(3);
  if (bytes.readUInt8(2) !== 8 || flags >= 32) throw new GzipFault('its header is of no known form');
  let at = 10;
  if (flags & EXTRA) at += 2 + bytes.readUInt16LE(at);
  for (const flag of TEXTS) {
    if ((flags & flag) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) throw new GzipFault('it is cut off');
    at = end + 1;
  }
  return flags & HEADER_CRC ? at + 2 : at;
}

/**
 * The first bytes that a gzip member unpacks to; none where it is none.
 *
 * @param bytes its first ones
 */
export function startOfGzip(bytes: Buffer): Buffer {
  try {
    const packed = bytes.subarray(endOfHeader(bytes));
    return inflateRawSync(packed, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0); // whatever zlib has to say of it
  }
}

/**
 * Measures a gzip member by unpacking it to nowhere, a piece at a time.
 *
 * @param source from its first byte on
 * @param limit most bytes that it may unpack to
 * @returns its bytes, packed and not; undefined where it is cut off or damaged, or unpacks to more
 * @throws what `source.read` throws; or the signal's reason
 */
export async function measureGzip(
  source: ByteSource,
  limit: number,
  signal: AbortSignal,
): Promise<{ packedBytes: number; bytes: number } | undefined> {
  const start = endOfHeader(await source.read(0, Math.min(HEADER_BYTES, source.size)));
  const engine = createInflateRaw({ chunkSize: PIECE / 4 });
  let bytes = 0;
  const outcome: { state: 'open' | 'ended' | 'failed' } = { state: 'open' };
  const over = new Promise<void>((resolve) => {
    const end = (state: 'ended' | 'failed') => () => {
      outcome.state = state;
      resolve();
    };
    engine.once('end', end('ended')).once('error', end('failed'));
    engine.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > limit) end('failed')();
    });
  });
  try {
    for await (const chunk of chunksOf(source, start)) {
      signal.throwIfAborted();
      if (outcome.state !== 'open') break;
      // Behind the end of the data the engine takes nothing, and says so of no write.
      await Promise.race([over, new Promise((resolve) => engine.write(chunk, resolve))]);
    }
    if (outcome.state === 'open') engine.end();
    await over;
    const packedBytes = start + engine.bytesWritten + TRAILER_BYTES;
    return outcome.state === 'ended' && packedBytes <= source.size ? { packedBytes, bytes } : undefined;
  } finally {
    engine.destroy();
  }
}

/** Names and comments in the header have to end within that. */
const HEADER_BYTES = 4096;
const TRAILER_BYTES = 8;
