import type { ByteSource } from '../../core/byte-source';
import { findBootKernel } from './boot-image';
import { CommandFault, unpackByCommand } from './command-unpack';
import { GzipFault, unpackGzipMember } from './gzip-member';
import { badImage, describeImage, imageKind, type ImageKind } from './image-kind';
import { Lz4Fault, unpackLz4Frame, unpackLz4Legacy } from './lz4';

/** A kernel as it lies in memory when it starts. */
export interface UnpackedKernel {
  /** What it was found in, outermost first, and what it is: `['boot', 'gzip', 'arm64']`. */
  layers: ImageKind[];
  bytes: Buffer;
}

export interface UnpackOptions {
  signal: AbortSignal;
  /** Most bytes that a kernel may take, packed or not. */
  limit?: number;
}

/** Kernels with everything built in take 40 to 80 MB. */
export const KERNEL_LIMIT = 256 << 20;
/** Boot image, zboot, packed data, kernel: nothing real is deeper. */
const DEEPEST = 4;
const HEADER_BYTES = 4096;

/**
 * Reads the kernel out of a boot image or a kernel's own file, in any of the
 * forms that builds leave and bootloaders take. Of a boot image, only its
 * header and its kernel are read.
 *
 * @param name for messages
 * @throws KhError BUILD_BAD_IMAGE, DECODER_MISSING; what `source.read` throws; or the signal's reason
 */
export async function readKernel(
  source: ByteSource,
  name: string,
  options: UnpackOptions,
): Promise<UnpackedKernel> {
  const start = await source.read(0, Math.min(HEADER_BYTES, source.size));
  const kind = imageKind(start);
  if (kind === undefined) throw notAKernel(name, start);
  const { offset, size } = await findKernel(kind, start, source, name);
  const { limit = KERNEL_LIMIT } = options;
  if (size > limit) throw badImage(name, `has a kernel of ${size} bytes; kh takes up to ${limit}`);
  const { layers, bytes } = await unpackKernel(await source.read(offset, size), name, options);
  return { layers: kind === 'boot' ? [kind, ...layers] : layers, bytes };
}

/** What of an image has to be read. Behind the loaded part of a vmlinux there may be a gigabyte for debuggers. */
async function findKernel(
  kind: ImageKind,
  start: Buffer,
  source: ByteSource,
  name: string,
): Promise<{ offset: number; size: number }> {
  if (kind === 'boot') return findBootKernel(source, name);
  const end = (kind === 'elf' && endOfSegments(start)) || source.size;
  return { offset: 0, size: Math.min(end, source.size) };
}

/**
 * Unpacks a kernel: gzip, LZ4 and EFI zboot around an arm64 Image, an x86
 * bzImage around its vmlinux; xz and zstd with the commands of these names.
 *
 * @param name for messages
 * @throws KhError BUILD_BAD_IMAGE, DECODER_MISSING; or the signal's reason
 */
export async function unpackKernel(
  packed: Buffer,
  name: string,
  { signal, limit = KERNEL_LIMIT }: UnpackOptions,
): Promise<UnpackedKernel> {
  const layers: ImageKind[] = [];
  let bytes = packed;
  while (layers.length < DEEPEST) {
    const kind = imageKind(bytes);
    if (kind === undefined || kind === 'boot') throw notAKernel(name, bytes, layers);
    layers.push(kind);
    if (kind === 'arm64') return { layers, bytes: arm64Image(bytes, name) };
    if (kind === 'elf') return { layers, bytes: vmlinux(bytes, name) };
    bytes = await unpackLayer(kind, bytes, name, { signal, limit });
  }
  throw badImage(name, `is packed ${DEEPEST} times over (${layers.join(', ')})`);
}

type Layer = Exclude<ImageKind, 'boot' | 'arm64' | 'elf'>;

/**
 * Takes one layer off: what is in it may be packed again.
 *
 * @param name for messages
 * @throws KhError BUILD_BAD_IMAGE, DECODER_MISSING; or the signal's reason
 */
export async function unpackLayer(
  kind: Layer,
  bytes: Buffer,
  name: string,
  options: Required<UnpackOptions>,
): Promise<Buffer> {
  const { limit } = options;
  try {
    switch (kind) {
      case 'zboot':
        return zbootPayload(bytes, name);
      case 'bzImage':
        return bzImagePayload(bytes, name);
      case 'gzip':
        return await unpackGzipMember(bytes, limit);
      case 'lz4-legacy':
        return unpackLz4Legacy(bytes, limit);
      case 'lz4-frame':
        return unpackLz4Frame(bytes, limit);
      case 'xz':
      case 'zstd':
        return await unpackByCommand(kind, bytes, options);
    }
  } catch (error) {
    const isFault = [GzipFault, Lz4Fault, CommandFault].some((fault) => error instanceof fault);
    if (!isFault) throw error;
    throw badImage(name, `is packed as ${describeImage(bytes)}, but ${(error as Error).message}`, error);
  }
}

/** Where in an image the kernel is that it unpacks. */
interface Payload {
  offset: number;
  size: number;
}

/**
 * Where the packed kernel is in a zboot image or a bzImage, by its header.
 *
 * @param header its first bytes, 4096 where it has as many
 * @throws KhError BUILD_BAD_IMAGE
 */
export function payloadOf(kind: 'zboot' | 'bzImage', header: Buffer, name: string): Payload {
  return kind === 'zboot' ? zbootPayloadAt(header, name) : bzImagePayloadAt(header, name);
}

function zbootPayload(bytes: Buffer, name: string): Buffer {
  return slice(bytes, zbootPayloadAt(bytes, name), `${name} is an EFI zboot image, and`);
}

/** @see drivers/firmware/efi/libstub/zboot-header.S of the kernel */
function zbootPayloadAt(bytes: Buffer, name: string): Payload {
  if (bytes.length < 64) throw badImage(name, 'is an EFI zboot image that ends within its header');
  return { offset: bytes.readUInt32LE(8), size: bytes.readUInt32LE(12) };
}

/**
 * The vmlinux in a bzImage, still packed. All but gzip are followed by four
 * bytes with the size of what they unpack to, which zstd would choke on.
 */
function bzImagePayload(bytes: Buffer, name: string): Buffer {
  const payload = slice(bytes, bzImagePayloadAt(bytes, name), `${name} is an x86 bzImage, and`);
  return imageKind(payload) === 'gzip' ? payload : payload.subarray(0, -4);
}

/** @see Documentation/arch/x86/boot.rst of the kernel */
function bzImagePayloadAt(bytes: Buffer, name: string): Payload {
  const version = bytes.length < 0x250 ? 0 : bytes.readUInt16LE(0x206);
  if (version < 0x208) {
    throw badImage(name, 'is an x86 bzImage whose header does not tell where the kernel is');
  }
  const sectors = bytes.readUInt8(0x1f1) || 4;
  return { offset: (sectors + 1) * 512 + bytes.readUInt32LE(0x248), size: bytes.readUInt32LE(0x24c) };
}

function slice(bytes: Buffer, { offset, size }: Payload, what: string): Buffer {
  if (offset + size <= bytes.length) return bytes.subarray(offset, offset + size);
  throw badImage(
    what,
    `is cut off: its payload should take ${size} bytes from ${offset} on, but it has only ${bytes.length}`,
  );
}

/** @see Documentation/arch/arm64/booting.rst of the kernel */
function arm64Image(bytes: Buffer, name: string): Buffer {
  if (bytes.length < 64) throw badImage(name, 'is an arm64 Image that ends within its header');
  if ((bytes.readUInt8(24) & 1) !== 0)
    throw badImage(name, 'is a big-endian arm64 Image, which kh does not read');
  return bytes;
}

/** How much memory an arm64 Image takes from its first byte on: what it holds, and room behind that. */
export function arm64ImageBytes(header: Buffer): number {
  return Number(header.readBigUInt64LE(16));
}

const ELF_MACHINES = new Map([
  [62, 'x86_64'],
  [183, 'aarch64'],
]);
const ELF_EXECUTABLE = [2, 3];
const PT_LOAD = 1;

/** @returns the part of a vmlinux that is loaded: debug information, mostly behind it, is many times as much. */
function vmlinux(bytes: Buffer, name: string): Buffer {
  if (bytes.length < 64) throw badImage(name, 'is an ELF file that ends within its header');
  if (bytes.readUInt16BE(4) !== 0x0201)
    throw badImage(name, 'is an ELF file, but not of 64 bits, little-endian');
  const [type, machine] = [bytes.readUInt16LE(16), bytes.readUInt16LE(18)];
  if (!ELF_EXECUTABLE.includes(type))
    throw badImage(name, 'is an object file or a module, not a linked vmlinux');
  if (!ELF_MACHINES.has(machine)) {
    const known = [...ELF_MACHINES.values()].join(' and ');
    throw badImage(name, `is an ELF file for machine ${machine}; kh knows ${known}`);
  }
  const end = endOfSegments(bytes);
  if (end === undefined || end > bytes.length) throw badImage(name, 'is an ELF file that is cut off');
  if (end === 0) throw badImage(name, 'is an ELF file without anything to load');
  return bytes.subarray(0, end);
}

/** Undefined when the table of segments is not all there. */
function endOfSegments(bytes: Buffer): number | undefined {
  if (bytes.length < 64) return undefined;
  const table = Number(bytes.readBigUInt64LE(32));
  const [size, count] = [bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  if (count > 0 && (size < 56 || table + size * count > bytes.length)) return undefined;
  let end = 0;
  for (let at = table; at < table + size * count; at += size) {
    if (bytes.readUInt32LE(at) !== PT_LOAD) continue;
    end = Math.max(end, Number(bytes.readBigUInt64LE(at + 8) + bytes.readBigUInt64LE(at + 32)));
  }
  return end;
}

function notAKernel(name: string, bytes: Buffer, layers: ImageKind[] = []) {
  const found = describeImage(bytes);
  const where =
    layers.length === 0 ? 'is no kernel that kh can read; it is' : `holds, in ${layers.join(' in ')},`;
  return badImage(name, `${where} ${found}`);
}
