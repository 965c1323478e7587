import type { ByteSource } from '../../core/byte-source';
import { badImage } from './image-kind';

const MAGIC = 0xed26ff3a;
const HEADER_BYTES = 28;
const CHUNK_HEADER_BYTES = 12;
/** 1 TB in blocks of 4 KB has as many at the very worst; real images have thousands. */
const MOST_CHUNKS = 4 << 20;

const RAW = 0xcac1;
const FILL = 0xcac2;
const DONT_CARE = 0xcac3;
const CRC32 = 0xcac4;

/** A run of the expanded image. */
interface Run {
  /** Its end in the expanded image, in bytes. */
  end: number;
  /** Where its bytes are in the file; undefined for those that are all alike. */
  at?: number;
  /** Four bytes that repeat. */
  fill?: number;
}

/** @param start the first bytes of a file */
export function isSparseImage(start: Buffer): boolean {
  return start.length >= HEADER_BYTES && start.readUInt32LE(0) === MAGIC;
}

/**
 * Reads Android's sparse image format as what simg2img would make of it: the
 * list of its chunks is read now, their bytes when they are asked for. What the
 * image leaves open reads as zeros; checksums are passed over.
 *
 * @param name for messages
 * @throws KhError BUILD_BAD_IMAGE; what `source.read` throws
 * @see AOSP system/core/libsparse/sparse_format.h
 */
export async function openSparseImage(source: ByteSource, name: string): Promise<ByteSource> {
  const runs = await readRuns(source, name);
  const size = runs.at(-1)?.end ?? 0;
  const readInto = async (offset: number, into: Buffer) => {
    let index = firstRunAt(runs, offset);
    for (let at = offset; at < offset + into.length; index++) {
      const run = runs[index];
      if (run === undefined) break;
      const end = Math.min(run.end, offset + into.length);
      await readRun(source, run, runs[index - 1]?.end ?? 0, at, into.subarray(at - offset, end - offset));
      at = end;
    }
  };
  return {
    size,
    readInto,
    read: async (offset, length) => {
      const bytes = Buffer.alloc(length);
      await readInto(offset, bytes);
      return bytes;
    },
  };
}

async function readRuns(source: ByteSource, name: string): Promise<Run[]> {
  const header = await source.read(0, Math.min(HEADER_BYTES, source.size));
  if (!isSparseImage(header)) throw badImage(name, 'is no sparse image');
  const [headerBytes, chunkHeaderBytes] = [header.readUInt16LE(8), header.readUInt16LE(10)];
  const [blockBytes, count] = [header.readUInt32LE(12), header.readUInt32LE(20)];
  const sound =
    header.readUInt16LE(4) === 1 &&
    headerBytes >= HEADER_BYTES &&
    chunkHeaderBytes >= CHUNK_HEADER_BYTES &&
    blockBytes > 0 &&
    blockBytes % 4 === 0 &&
    count <= MOST_CHUNKS;
  if (!sound) throw badImage(name, 'is a sparse image whose header makes no sense');
  const runs: Run[] = [];
  let at = headerBytes;
  let end = 0;
  for (let chunk = 0; chunk < count; chunk++) {
    if (at + chunkHeaderBytes > source.size) throw cutOff(name, chunk, count);
    const start = await source.read(at, Math.min(16, source.size - at));
    const [type, blocks, total] = [start.readUInt16LE(0), start.readUInt32LE(4), start.readUInt32LE(8)];
    const data = at + chunkHeaderBytes;
    at += total;
    if (total < chunkHeaderBytes) throw badImage(name, `is a damaged sparse image (chunk ${chunk})`);
    if (at > source.size) throw cutOff(name, chunk, count);
    end += type === CRC32 ? 0 : blocks * blockBytes;
    if (type === RAW && data + blocks * blockBytes === at) runs.push({ end, at: data });
    else if (type === FILL && start.length === 16) runs.push({ end, fill: start.readUInt32LE(12) });
    else if (type === DONT_CARE) runs.push({ end });
    else if (type !== CRC32) throw badImage(name, `is a damaged sparse image (chunk ${chunk})`);
  }
  return runs;
}

async function readRun(source: ByteSource, run: Run, start: number, at: number, into: Buffer): Promise<void> {
  if (run.at !== undefined) {
    const from = run.at + at - start;
    if (source.readInto === undefined) (await source.read(from, into.length)).copy(into);
    else await source.readInto(from, into);
  } else if (run.fill === undefined || run.fill === 0) into.fill(0);
  else {
    const pattern = Buffer.alloc(4);
    pattern.writeUInt32LE(run.fill);
    const phase = (at - start) % 4;
    into.fill(Buffer.concat([pattern.subarray(phase), pattern.subarray(0, phase)]));
  }
}

/** The index of the run that holds a byte. */
function firstRunAt(runs: readonly Run[], offset: number): number {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs[middle]?.end ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function cutOff(name: string, chunk: number, count: number) {
  return badImage(name, `is a sparse image that is cut off: it ends in chunk ${chunk} of ${count}`);
}
