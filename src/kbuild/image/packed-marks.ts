import type { PackedKind } from './packed-kernel';

/** What tells of something packed, at any byte of a dump: its magic, and as much of its header as can be checked. */
export interface PackedMark {
  kind: PackedKind;
  bytes: Buffer;
  /** Where in it the magic is, if not at its start. */
  within?: { offset: number; align: number };
  /** Of so many bytes from the magic on. */
  fits: { bytes: number; test: (start: Buffer) => boolean };
}

const hex = (text: string) => Buffer.from(text, 'hex');
const LZ4_LARGEST_BLOCK = (8 << 20) + (8 << 20) / 255 + 16;

/** Each checks what chance rarely has: without, a dump of noise, or one made of magics, would cost a look at each. */
export const PACKED_MARKS: PackedMark[] = [
  { kind: 'gzip', bytes: hex('1f8b08'), fits: { bytes: 10, test: isGzipHeader } },
  {
    kind: 'lz4-legacy',
    bytes: hex('02214c18'),
    fits: { bytes: 8, test: (start) => isBetween(wordAt(start, 4), 1, LZ4_LARGEST_BLOCK) },
  },
  {
    kind: 'lz4-frame',
    bytes: hex('04224d18'),
    // Version 1, no reserved bit, a block size that there is.
    fits: { bytes: 6, test: (start) => ((start[4] ?? 0) & 0xc2) === 0x40 && ((start[5] ?? 0) & 0x8f) === 0 },
  },
  {
    kind: 'zstd',
    bytes: hex('28b52ffd'),
    fits: { bytes: 5, test: (start) => start.length === 5 && ((start[4] ?? 0) & 0x18) === 0 },
  },
  {
    kind: 'zboot',
    bytes: Buffer.from('zimg'),
    within: { offset: 4, align: 1 },
    fits: {
      bytes: 28,
      test: (start) => /^(?:gzip|lz4|xzkern|xz|zstd|zstd22)\0/.test(start.toString('latin1', 20)),
    },
  },
  {
    kind: 'bzImage',
    bytes: Buffer.from('HdrS'),
    within: { offset: 0x202, align: 1 },
    // The version of the boot protocol: from 2.08 on it tells where the kernel is.
    fits: {
      bytes: 6,
      test: (start) => isBetween(start.length < 6 ? 0 : start.readUInt16LE(4), 0x208, 0x2ff),
    },
  },
];

/** @see RFC 1952, 2.3.1 */
function isGzipHeader(start: Buffer): boolean {
  if (start.length < 10) return false;
  const [flags = 0, extra = 0, system = 0] = [start[3], start[8], start[9]];
  return flags < 32 && [0, 2, 4].includes(extra) && (system <= 13 || system === 255);
}

function wordAt(bytes: Buffer, at: number): number {
  return bytes.length < at + 4 ? 0 : bytes.readUInt32LE(at);
}

function isBetween(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}
