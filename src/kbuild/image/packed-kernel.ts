import type { ByteSource } from '../../core/byte-source';
import { CommandFault, unpackByCommand } from './command-unpack';
import { GzipFault, measureGzip, startOfGzip, unpackGzipMember } from './gzip-member';
import { badImage, imageKind } from './image-kind';
import { payloadOf, unpackLayer } from './kernel-payload';
import { Lz4Fault, measureLz4, startOfLz4, unpackLz4, type Lz4Kind, type Unpacked } from './lz4';
import { measureZstd } from './zstd-frame';

/** What packs a kernel and tells, with what follows its mark, how far it reaches. */
export type PackedKind = 'gzip' | Lz4Kind | 'zstd' | 'zboot' | 'bzImage';

export interface PackedOptions {
  /** For messages. */
  name: string;
  signal: AbortSignal;
  /** Most bytes, packed or not. */
  limit: number;
  /** Fewest that a packed ELF file takes which is worth unpacking: most are small modules. */
  smallestElf: number;
  /** Hears of bytes that were unpacked only to be measured. */
  onMeasured: (bytes: number) => void;
}

/**
 * Unpacks a kernel or a module that lies somewhere in something larger. Its
 * first bytes are unpacked first, and the rest only if they are those of a
 * kernel or an ELF file; then it is measured, and only as much is read.
 *
 * @param source from its first byte on, and as far as the larger thing goes
 * @returns undefined where something else is packed there, or nothing
 * @throws KhError BUILD_BAD_IMAGE where it begins like a kernel and cannot be unpacked; DECODER_MISSING; what
 *   `source.read` throws; or the signal's reason
 */
export async function unpackPackedKernel(
  kind: PackedKind,
  source: ByteSource,
  options: PackedOptions,
): Promise<Unpacked | undefined> {
  try {
    switch (kind) {
      case 'gzip':
        return await unpackGzip(source, options);
      case 'lz4-legacy':
      case 'lz4-frame':
        return await unpackLz4Kernel(kind, source, options);
      case 'zstd':
        return await unpackZstd(source, options);
      case 'zboot':
      case 'bzImage':
        return await takePayload(kind, source, options);
    }
  } catch (error) {
    if (![GzipFault, Lz4Fault, CommandFault].some((fault) => error instanceof fault)) throw error;
    throw badImage(options.name, `is packed as ${kind}, but ${(error as Error).message}`, error);
  }
}

const START_BYTES = 2048;
const LZ4_START_BYTES = 64 * 1024;
const ZSTD_START_BYTES = 256 * 1024;

/** Of what the first bytes are that something unpacks to, where it may be a kernel, or hold headers. */
function wantedKind(start: Buffer): 'arm64' | 'elf' | undefined {
  const kind = imageKind(start);
  return kind === 'arm64' || kind === 'elf' ? kind : undefined;
}

async function unpackGzip(source: ByteSource, options: PackedOptions): Promise<Unpacked | undefined> {
  const { limit, signal, smallestElf, onMeasured } = options;
  const kind = wantedKind(startOfGzip(await readStart(source, START_BYTES)));
  if (kind === undefined) return undefined;
  const measured = await measureGzip(source, limit, signal);
  onMeasured(measured?.bytes ?? limit / 8);
  if (measured === undefined && kind === 'arm64') throw new GzipFault('it is cut off, damaged or too large');
  if (measured === undefined || (kind === 'elf' && measured.packedBytes < smallestElf)) return undefined;
  const { packedBytes } = measured;
  return { bytes: await unpackGzipMember(await source.read(0, packedBytes), limit), packedBytes };
}

async function unpackLz4Kernel(
  form: Lz4Kind,
  source: ByteSource,
  { limit, smallestElf }: PackedOptions,
): Promise<Unpacked | undefined> {
  const kind = wantedKind(startOfLz4(form, await readStart(source, LZ4_START_BYTES)));
  if (kind === undefined) return undefined;
  const packedBytes = await measureLz4(form, source);
  if (packedBytes === undefined && kind === 'arm64') throw new Lz4Fault('it is cut off or damaged');
  if (packedBytes === undefined || (kind === 'elf' && packedBytes < smallestElf)) return undefined;
  return unpackLz4(form, await source.read(0, Math.min(packedBytes, limit)), limit);
}

async function unpackZstd(
  source: ByteSource,
  { limit, signal, smallestElf }: PackedOptions,
): Promise<Unpacked | undefined> {
  const packedBytes = await measureZstd(source);
  if (packedBytes === undefined || packedBytes < smallestElf || packedBytes > limit) return undefined;
  const first = await readStart(source, ZSTD_START_BYTES);
  const start = await unpackByCommand('zstd', first, { limit: START_BYTES, signal, part: true });
  if (wantedKind(start) === undefined) return undefined;
  const bytes = await unpackByCommand('zstd', await source.read(0, packedBytes), { limit, signal });
  return { bytes, packedBytes };
}

/** The kernel in an image that unpacks itself, still packed: what it is packed with is the next layer. */
async function takePayload(
  kind: 'zboot' | 'bzImage',
  source: ByteSource,
  { name, limit, signal }: PackedOptions,
): Promise<Unpacked | undefined> {
  const header = await readStart(source, 4096);
  if (imageKind(header) !== kind) return undefined;
  const { offset, size } = payloadOf(kind, header, name);
  if (size < START_BYTES || offset + size > Math.min(limit, source.size)) return undefined;
  if (imageKind(await source.read(offset, 64)) === undefined) return undefined;
  const bytes = await unpackLayer(kind, await source.read(0, offset + size), name, { limit, signal });
  return { bytes, packedBytes: offset + size };
}

function readStart(source: ByteSource, bytes: number): Promise<Buffer> {
  return source.read(0, Math.min(bytes, source.size));
}
