import { KhError } from '../../core/errors';

/** What a file is by its first bytes. */
export type ImageKind =
  'boot' | 'zboot' | 'arm64' | 'bzImage' | 'elf' | 'gzip' | 'lz4-legacy' | 'lz4-frame' | 'xz' | 'zstd';

interface Mark {
  at: number;
  bytes: string | number[];
}

interface Kind {
  /** Undefined for what kh does not read. */
  kind?: ImageKind;
  /** For messages: "it is …". */
  name: string;
  marks: Mark[];
}

const mark = (bytes: string | number[], at = 0): Mark => ({ at, bytes });

/** The first that fits counts: an image with an EFI stub is several things at once. */
const KINDS: Kind[] = [
  { kind: 'boot', name: 'an Android boot image', marks: [mark('ANDROID!')] },
  { kind: 'zboot', name: 'an EFI zboot image', marks: [mark('MZ'), mark('zimg', 4)] },
  { kind: 'arm64', name: 'an arm64 Image', marks: [mark('ARM\x64', 0x38)] },
  { kind: 'bzImage', name: 'an x86 bzImage', marks: [mark([0x55, 0xaa], 0x1fe), mark('HdrS', 0x202)] },
  { kind: 'elf', name: 'an ELF file', marks: [mark('\x7fELF')] },
  { kind: 'gzip', name: 'gzip', marks: [mark([0x1f, 0x8b])] },
  { kind: 'lz4-legacy', name: 'LZ4 (legacy)', marks: [mark([0x02, 0x21, 0x4c, 0x18])] },
  { kind: 'lz4-frame', name: 'LZ4 (frame)', marks: [mark([0x04, 0x22, 0x4d, 0x18])] },
  { kind: 'xz', name: 'xz', marks: [mark([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])] },
  { kind: 'zstd', name: 'zstd', marks: [mark([0x28, 0xb5, 0x2f, 0xfd])] },
  { name: 'a vendor_boot image, and the kernel is in the boot image', marks: [mark('VNDRBOOT')] },
  { name: 'a sparse image, which simg2img expands', marks: [mark([0x3a, 0xff, 0x26, 0xed])] },
  { name: 'a flattened device tree, or a FIT image', marks: [mark([0xd0, 0x0d, 0xfe, 0xed])] },
  { name: 'a U-Boot image', marks: [mark([0x27, 0x05, 0x19, 0x56])] },
  { name: 'a zImage of 32-bit ARM', marks: [mark([0x18, 0x28, 0x6f, 0x01], 0x24)] },
  { name: 'packed with bzip2', marks: [mark('BZh')] },
  { name: 'packed with lzma', marks: [mark([0x5d, 0, 0])] },
  { name: 'packed with lzop', marks: [mark([0x89, 0x4c, 0x5a, 0x4f])] },
  { name: 'a zip archive', marks: [mark('PK\x03\x04')] },
  { name: 'a program for EFI or Windows', marks: [mark('MZ')] },
  { name: 'empty: it begins with zero bytes', marks: [mark(new Array<number>(64).fill(0))] },
];

/** @returns the kind of file that begins so; undefined for what kh does not read. */
export function imageKind(bytes: Buffer): ImageKind | undefined {
  return findKind(bytes)?.kind;
}

/** For messages: "an x86 bzImage", or the first bytes as they are. */
export function describeImage(bytes: Buffer): string {
  if (bytes.length === 0) return 'empty';
  const name = findKind(bytes)?.name;
  if (name !== undefined) return name;
  const hex = bytes
    .subarray(0, 8)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');
  return `of no kind that kh knows: it begins with ${hex}`;
}

/** The error for an image that cannot be used. `what` completes "boot.img …". */
export function badImage(name: string, what: string, cause?: unknown): KhError {
  return new KhError('BUILD_BAD_IMAGE', {
    message: `${name} ${what}`,
    hint:
      'Give the boot.img of the build that runs on the device, its kernel (Image, Image.gz, bzImage, vmlinux), ' +
      'or the Module.symvers of that build.',
    details: { image: name },
    cause,
  });
}

function findKind(bytes: Buffer): Kind | undefined {
  return KINDS.find(({ marks }) => marks.every((one) => hasMark(bytes, one)));
}

function hasMark(bytes: Buffer, { at, bytes: expected }: Mark): boolean {
  const pattern = typeof expected === 'string' ? Buffer.from(expected, 'latin1') : Buffer.from(expected);
  return bytes.subarray(at, at + pattern.length).equals(pattern);
}
