import { promisify } from 'node:util';
import { inflateRaw, type ZlibOptions } from 'node:zlib';
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

async function inflateMember(bytes: Buffer, limit: number): Promise<Inflated> {
  try {
    return await inflate(bytes, { maxOutputLength: limit, chunkSize: 1 << 20, info: true });
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
