import { KhError } from '../../core/errors';

/** What an .xz file begins with, and what every stream in it ends with. */
const MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const FOOTER_MAGIC = Buffer.from('YZ');

/** How far back afterFooter() looks. */
const TAIL_BYTES = 128 * 1024;

export interface InputRecord {
  /** The chunks handed in, as long as they begin like an .xz file. */
  chunks: AsyncIterable<Buffer>;
  /** Bytes taken so far. */
  bytes: () => number;
  /**
   * The first bytes seen behind the last stream footer, when they are neither
   * padding nor another stream; undefined when there are none.
   */
  afterFooter: () => Buffer | undefined;
}

/**
 * Watches what a decoder takes in: refuses at once what is no .xz file, and
 * keeps enough of the end to tell a damaged file from one that was added to.
 * The decoders themselves cannot: some stop at the end of the first stream.
 */
export function inputRecord(source: AsyncIterable<Buffer>): InputRecord {
  let bytes = 0;
  let flags = Buffer.alloc(0);
  let tail: Buffer[] = [];
  let tailBytes = 0;

  async function* watched(): AsyncGenerator<Buffer> {
    let head = Buffer.alloc(0);
    for await (const chunk of source) {
      if (chunk.length === 0) continue;
      bytes += chunk.length;
      tail.push(chunk);
      tailBytes += chunk.length;
      while (tailBytes - (tail[0]?.length ?? 0) >= TAIL_BYTES) tailBytes -= tail.shift()?.length ?? 0;
      if (flags.length > 0) {
        yield chunk;
        continue;
      }
      head = Buffer.concat([head, chunk]);
      if (head.length < 12) continue;
      requireMagic(head);
      flags = Buffer.from(head.subarray(6, 8));
      yield head;
    }
    if (flags.length > 0) return;
    requireMagic(head);
    throw new KhError('ARCHIVE_TRUNCATED', { message: `the archive ends after ${head.length} bytes` });
  }

  function afterFooter(): Buffer | undefined {
    const seen = Buffer.concat(tail);
    tail = [seen];
    const footer = seen.lastIndexOf(Buffer.concat([flags, FOOTER_MAGIC]));
    if (flags.length === 0 || footer === -1) return undefined;
    const rest = seen.subarray(footer + 4);
    const start = rest.findIndex((byte) => byte !== 0);
    if (start === -1) return undefined;
    const stray = rest.subarray(start);
    return stray.subarray(0, MAGIC.length).equals(MAGIC.subarray(0, stray.length))
      ? undefined
      : stray.subarray(0, 8);
  }

  return { chunks: watched(), bytes: () => bytes, afterFooter };
}

function requireMagic(head: Buffer): void {
  if (head.length === 0) throw new KhError('ARCHIVE_TRUNCATED', { message: 'the archive is empty' });
  const start = head.subarray(0, MAGIC.length);
  if (start.equals(MAGIC.subarray(0, start.length))) return;
  throw new KhError('ARCHIVE_CORRUPT', {
    message: `this is not an xz file: it begins with ${start.toString('hex')}${looksLike(head)}`,
    hint: 'kheaders archives are .tar.xz files, made by the kernel build.',
    details: { firstBytes: start.toString('hex') },
  });
}

/** Other things that a file of that name may be. */
const FORMATS: [hex: string, name: string][] = [
  ['5d0000', 'the older .lzma format'],
  ['1f8b', 'gzip'],
  ['425a68', 'bzip2'],
  ['28b52ffd', 'zstd'],
  ['504b0304', 'zip'],
  ['7f454c46', 'an ELF file'],
];

function looksLike(head: Buffer): string {
  const hex = head.subarray(0, 6).toString('hex');
  const format = FORMATS.find(([start]) => hex.startsWith(start))?.[1];
  return format === undefined ? '' : ` (${format})`;
}
