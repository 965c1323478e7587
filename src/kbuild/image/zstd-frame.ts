import type { ByteSource } from '../../core/byte-source';

const LARGEST_BLOCK = 128 * 1024;
/** Kernels have hundreds; more are made to keep a reader busy. */
const MOST_BLOCKS = 10_000;
/** Of the field for what it unpacks to, and of a dictionary's name, by what the first byte says of them. */
const SIZE_BYTES = [0, 2, 4, 8];
const NAME_BYTES = [0, 1, 2, 4];
const RESERVED_TYPE = 3;
const REPEATED_BYTE = 1;

/**
 * Measures a frame of zstd from the lengths in front of its blocks, without
 * unpacking it.
 *
 * @param source from its magic on
 * @returns bytes; undefined where it is cut off, or makes no sense
 * @throws what `source.read` throws
 * @see RFC 8878, 3.1.1
 */
export async function measureZstd(source: ByteSource): Promise<number | undefined> {
  if (source.size < 6) return undefined;
  const flags = (await source.read(4, 1)).readUInt8(0);
  if ((flags & 0x08) !== 0) return undefined;
  const isSingle = (flags & 0x20) !== 0;
  const sizeBytes = isSingle && flags >> 6 === 0 ? 1 : (SIZE_BYTES[flags >> 6] ?? 0);
  let at = 5 + (isSingle ? 0 : 1) + (NAME_BYTES[flags & 3] ?? 0) + sizeBytes;
  for (let block = 0; block < MOST_BLOCKS && at + 3 <= source.size; block++) {
    const word = (await source.read(at, 3)).readUIntLE(0, 3);
    const [isLast, type, size] = [(word & 1) === 1, (word >> 1) & 3, word >> 3];
    if (type === RESERVED_TYPE || size > LARGEST_BLOCK) return undefined;
    at += 3 + (type === REPEATED_BYTE ? 1 : size);
    if (!isLast) continue;
    const end = at + ((flags & 0x04) === 0 ? 0 : 4);
    return end <= source.size ? end : undefined;
  }
  return undefined;
}
