import { decode, decodeLongPath, decodePax, type DecodedHeader } from 'tar-stream/headers';
import { isNativeError } from 'node:util/types';
import { KhError } from '../../core/errors';

/** One member as its headers describe it; nothing about it has been judged yet. */
export interface TarMember {
  name: string;
  /** Bytes of content. */
  size: number;
  /** As the header says: 'file', 'directory', 'symlink', 'link', …; null for a type that tar-stream does not know. */
  type: string | null;
  linkname: string;
  /** Permission bits, as the header says. */
  mode?: number;
  /** Why kh cannot read this member as its maker meant it. */
  oddity?: string;
}

/** Told of the members in order: one `member`, its `content` in as many pieces as it comes in, one `endMember`. */
export interface TarSink {
  member: (member: TarMember) => void;
  /** The piece is part of a larger buffer, and must not be kept. */
  content: (piece: Buffer) => void;
  endMember: () => void;
}

export interface TarReader {
  push: (chunk: Buffer) => void;
  /** To be called after the last chunk. */
  finish: () => void;
}

const BLOCK = 512;

/** Names and attributes of one member; real archives have none. */
const LARGEST_EXTENDED_HEADER = 64 * 1024;

/**
 * Takes a tar stream apart.
 *
 * The blocks are decoded by tar-stream's codec, the stream by the loop below:
 * tar-stream's own makes a stream of every member, which for 6,500 small files
 * takes 90 ms of the 300 that there are; it goes on after the end-of-archive
 * marker and does without one; and it waits for ever on a negative size.
 *
 * @throws KhError ARCHIVE_CORRUPT, ARCHIVE_LIMIT, and from `finish` ARCHIVE_TRUNCATED
 * @see POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"
 */
export function tarReader(sink: TarSink): TarReader {
  const extended = extendedHeaders();
  let carried: Buffer = Buffer.alloc(0);
  let content = 0;
  let padding = 0;
  let zeroBlocks = 0;
  let position = 0;

  function takeBlock(block: Buffer): void {
    const header = decodeBlock(block, position);
    if (header === null) {
      zeroBlocks += 1;
      return;
    }
    if (zeroBlocks > 0) throw corrupt('a block of zeros stands between two members', position);
    const size = contentSize(header, position);
    const announced = extended.begin(header, size);
    const member = announced ? undefined : extended.apply(header, size, position);
    content = member?.size ?? size;
    padding = (BLOCK - (content % BLOCK)) % BLOCK;
    if (member === undefined) return;
    sink.member(member);
    if (content === 0) sink.endMember();
  }

  function takeContent(chunk: Buffer): number {
    const piece = chunk.subarray(0, content);
    content -= piece.length;
    if (extended.take(piece, content)) return piece.length;
    sink.content(piece);
    if (content === 0) sink.endMember();
    return piece.length;
  }

  /** @returns how many bytes of the chunk were taken: none when a header is not yet whole. */
  function step(chunk: Buffer): number {
    if (content > 0) return takeContent(chunk);
    if (padding > 0) {
      const skipped = Math.min(padding, chunk.length);
      padding -= skipped;
      return skipped;
    }
    if (zeroBlocks >= 2) return requireZeros(chunk, position);
    if (chunk.length < BLOCK) return 0;
    takeBlock(chunk.subarray(0, BLOCK));
    return BLOCK;
  }

  function push(chunk: Buffer): void {
    let rest = carried.length > 0 ? Buffer.concat([carried, chunk]) : chunk;
    while (rest.length > 0) {
      const taken = step(rest);
      if (taken === 0) break;
      position += taken;
      rest = rest.subarray(taken);
    }
    carried = rest;
  }

  function finish(): void {
    if (zeroBlocks < 2) throw truncated(content + padding + carried.length > 0, position + carried.length);
  }

  return { push, finish };
}

function decodeBlock(block: Buffer, position: number): DecodedHeader | null {
  try {
    return decode(block, 'utf-8', false);
  } catch (cause) {
    const why =
      isNativeError(cause) && cause.message.includes('format') ? 'is of no known tar format' : 'is damaged';
    throw corrupt(`a tar header ${why}`, position, cause);
  }
}

function contentSize({ name, size }: { name: string; size: number | null }, position: number): number {
  if (size === null || !Number.isSafeInteger(size) || size < 0) {
    throw corrupt(`the tar header of "${name}" gives no usable size`, position);
  }
  return size;
}

function requireZeros(bytes: Buffer, position: number): number {
  if (bytes.some((byte) => byte !== 0)) throw corrupt('data follows the end-of-archive marker', position);
  return bytes.length;
}

function truncated(midMember: boolean, bytes: number): KhError {
  const where = midMember ? 'in the middle of a member' : 'without an end-of-archive marker';
  return new KhError('ARCHIVE_TRUNCATED', {
    message: `the tar data ends ${where}, after ${bytes} bytes`,
    hint: 'The archive was cut short before it was compressed.',
    details: { tarBytes: bytes },
  });
}

function corrupt(what: string, position: number, cause?: unknown): KhError {
  return new KhError('ARCHIVE_CORRUPT', { message: `${what} (at byte ${position} of the tar data)`, cause });
}

/** Long names and attributes that stand in front of a member: pax records, GNU long names and link targets. */
function extendedHeaders() {
  let pending: DecodedHeader | undefined;
  let pieces: Buffer[] = [];
  let longName: string | undefined;
  let longLink: string | undefined;
  let pax: Record<string, string> = {};

  /** @returns true when `header` only announces one of these. */
  function begin(header: DecodedHeader, size: number): boolean {
    if (!EXTENDED_TYPES.includes(String(header.type))) return false;
    if (size > LARGEST_EXTENDED_HEADER) {
      throw new KhError('ARCHIVE_LIMIT', {
        message: `an extended tar header of ${size} bytes stands before "${header.name}"; ${LARGEST_EXTENDED_HEADER} are allowed`,
      });
    }
    pending = size === 0 ? undefined : header;
    return true;
  }

  /** @returns false when `piece` belongs to a member. */
  function take(piece: Buffer, missing: number): boolean {
    if (pending === undefined) return false;
    pieces.push(Buffer.from(piece));
    if (missing > 0) return true;
    const bytes = Buffer.concat(pieces);
    if (pending.type === 'gnu-long-path') longName = decodeLongPath(bytes, 'utf-8');
    else if (pending.type === 'gnu-long-link-path') longLink = decodeLongPath(bytes, 'utf-8');
    else pax = { ...pax, ...decodePax(bytes) };
    pieces = [];
    pending = undefined;
    return true;
  }

  function apply(header: DecodedHeader, size: number, position: number): TarMember {
    const name = pax['path'] ?? longName ?? header.name;
    const linkname = pax['linkpath'] ?? longLink ?? header.linkname ?? '';
    const paxSize = pax['size'];
    const trueSize = paxSize === undefined ? size : /^\d+$/.test(paxSize) ? Number(paxSize) : null;
    const oddity = Object.keys(pax).some((key) => key.startsWith('GNU.sparse.'))
      ? 'is a sparse file'
      : undefined;
    longName = undefined;
    longLink = undefined;
    pax = {};
    return {
      name,
      linkname,
      type: header.type ?? null,
      ...(header.mode === undefined ? {} : { mode: header.mode & 0o7777 }),
      size: contentSize({ name, size: trueSize }, position),
      ...(oddity === undefined ? {} : { oddity }),
    };
  }

  return { begin, take, apply };
}

const EXTENDED_TYPES = ['pax-header', 'pax-global-header', 'gnu-long-path', 'gnu-long-link-path'];
