import { createHash } from 'node:crypto';
import { chunksOf, type ByteSource } from '../../core/byte-source';
import { KhError } from '../../core/errors';
import type { ArchiveLimits } from '../../core/limits';
import { releaseIn } from '../headers-tree';
import { tarReader, type TarMember } from '../tar/tar-reader';
import { decodeXz } from '../xz/decode-xz';

export interface ProofOptions {
  limits: ArchiveLimits;
  signal: AbortSignal;
}

/** A headers archive that decoded to its end, every check included. */
export interface ProvenHeaders {
  /** From its utsrelease.h; undefined where it has none that can be used. */
  release: string | undefined;
  /** Its autoconf.h; undefined where it has none. */
  autoconf: string | undefined;
  /** Members. */
  entries: number;
  md5: string;
  sha256: string;
}

const AUTOCONF = './include/generated/autoconf.h';
const UTSRELEASE = './include/generated/utsrelease.h';
/** Real ones have 200 to 400 KB. */
const LONGEST_KEPT = 1 << 20;

/**
 * Decodes what may be a headers archive, in pieces and to its end.
 *
 * @param source the archive and nothing else
 * @returns undefined for a sound archive of something else
 * @throws KhError ARCHIVE_CORRUPT, ARCHIVE_TRUNCATED, ARCHIVE_LIMIT, XZ_UNAVAILABLE; what `source.read` throws
 */
export async function proveHeaders(
  source: ByteSource,
  { limits, signal }: ProofOptions,
): Promise<ProvenHeaders | undefined> {
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  async function* hashed(): AsyncGenerator<Buffer> {
    for await (const chunk of chunksOf(source)) {
      md5.update(chunk);
      sha256.update(chunk);
      yield chunk;
    }
  }
  const members = memberCount(limits);
  const { decoderMemoryBytes: memoryLimit, unpackedBytes: outputLimit } = limits;
  for await (const output of decodeXz(hashed(), { memoryLimit, outputLimit, signal })) {
    members.reader.push(output);
  }
  members.reader.finish();
  const autoconf = members.text(AUTOCONF);
  const utsrelease = members.text(UTSRELEASE);
  if (members.first !== './' || (autoconf ?? utsrelease) === undefined) return undefined;
  const release = utsrelease === undefined ? undefined : releaseIn(utsrelease);
  return { release, autoconf, entries: members.count, md5: md5.digest('hex'), sha256: sha256.digest('hex') };
}

/** Counts members, and keeps the text of the two that matter. */
function memberCount(limits: ArchiveLimits) {
  const kept = new Map<string, Buffer[]>();
  let current: Buffer[] | undefined;
  const seen = { first: undefined as string | undefined, count: 0 };
  const member = ({ name, size }: TarMember) => {
    seen.first ??= name;
    seen.count += 1;
    if (seen.count > limits.entries) {
      throw new KhError('ARCHIVE_LIMIT', {
        message: `the archive has more than the ${limits.entries} entries allowed`,
      });
    }
    current = [AUTOCONF, UTSRELEASE].includes(name) && size <= LONGEST_KEPT ? [] : undefined;
    if (current !== undefined) kept.set(name, current);
  };
  const content = (piece: Buffer) => void current?.push(Buffer.from(piece));
  const reader = tarReader({ member, content, endMember: () => (current = undefined) });
  const text = (name: string) => {
    const pieces = kept.get(name);
    return pieces && Buffer.concat(pieces).toString('latin1');
  };
  return Object.assign(seen, { reader, text });
}

/** What a packed stream begins with. */
const PEEK_BYTES = 4096;
/** LZMA2 packs at most so much into a piece, and a piece decodes as soon as it is there. */
const PEEK_INPUT = 160 * 1024;

/**
 * The first bytes that an xz stream unpacks to, as far as they can be had: the
 * rest of it may be damaged, or missing.
 *
 * @param source from the stream's first byte on
 * @throws KhError XZ_UNAVAILABLE; what `source.read` throws; or the signal's reason
 */
export async function peekIntoXz(source: ByteSource, { limits, signal }: ProofOptions): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const input = chunksOf(source, 0, Math.min(source.size, PEEK_INPUT));
  const { decoderMemoryBytes: memoryLimit, unpackedBytes: outputLimit } = limits;
  try {
    for await (const output of decodeXz(input, { memoryLimit, outputLimit, signal })) {
      pieces.push(output.subarray(0, PEEK_BYTES));
      bytes += output.length;
      if (bytes >= PEEK_BYTES) break;
    }
  } catch (error) {
    // Cut off as it is, it cannot end well.
    if (!(error instanceof KhError && error.code.startsWith('ARCHIVE_'))) throw error;
  }
  return Buffer.concat(pieces).subarray(0, PEEK_BYTES);
}

/**
 * Whether a tar stream that begins so can be a headers archive: its first
 * member is the folder that all was packed from, and its second one of those
 * that the kernel's script puts there.
 */
export function looksLikeHeaders(tar: Buffer): boolean {
  const names: string[] = [];
  const reader = tarReader({
    member: ({ name }) => names.push(name),
    content: () => undefined,
    endMember: () => undefined,
  });
  try {
    reader.push(tar);
  } catch (error) {
    if (!(error instanceof KhError)) throw error;
  }
  const [first, second] = names;
  return first === './' && (second === undefined || /^\.\/(?:arch|include|kernel)\//.test(second));
}
