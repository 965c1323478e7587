import { measureXz, type MeasuredXz } from '../../archive/carve/measure-xz';
import { looksLikeHeaders, peekIntoXz, proveHeaders } from '../../archive/carve/prove-headers';
import { decodeXz } from '../../archive/xz/decode-xz';
import { chunksOf, sliceSource } from '../../core/byte-source';
import { KhError } from '../../core/errors';
import { imageKind } from '../../kbuild/image/image-kind';
import { KERNEL_LIMIT } from '../../kbuild/image/kernel-payload';
import { DAMAGED_HINT, isBadArchive } from './damaged-image';
import { foundBy } from './marked-extents';
import { searchUnpacked } from './outer-layer';
import { placeIn, type Finds, type Region } from './region';
import { spend, type SearchRun } from './search-run';

/** A headers archive cannot be packed further, so a module with one is larger than this. */
export const SMALLEST_PACKED_MODULE = 1 << 20;

/**
 * Looks at what may be an xz stream: proves it if it is a headers archive,
 * goes into it if it is a kernel or a module.
 *
 * @returns where to go on: behind the stream, if it is a whole one
 */
export async function meetXzStream(run: SearchRun, finds: Finds, offset: number): Promise<number> {
  const { search, options } = run;
  const { region } = finds;
  const { source } = region;
  const measured = await measureXz(source, offset);
  spend(run, measured === undefined ? 'looks' : 'streams');
  if (measured === undefined) return offset + 1;
  const { state, bytes } = measured;
  const start = await peekIntoXz(sliceSource(source, offset, source.size - offset), options);
  const isHeaders = looksLikeHeaders(start);
  if (!isHeaders) search.otherStreams += 1;
  if (state !== 'whole') {
    if (isHeaders) search.damaged.push(brokenOff(options.name, region, offset, measured));
    return offset + 1;
  }
  if (isHeaders) await proveArchive(run, finds, offset, bytes);
  else if (isWorthUnpacking(start, offset, bytes)) await searchStream(run, region, offset, bytes);
  return offset + bytes;
}

async function proveArchive(run: SearchRun, finds: Finds, offset: number, bytes: number): Promise<void> {
  const { search, options } = run;
  const { region, archives } = finds;
  spend(run, 'archives');
  try {
    const proof = await proveHeaders(sliceSource(region.source, offset, bytes), options);
    if (proof === undefined) search.otherStreams += 1;
    else archives.push({ offset, bytes, foundBy: await foundBy(finds, offset), proof });
  } catch (error) {
    if (!isBadArchive(error)) throw error;
    const { code, reason, hint = DAMAGED_HINT, details, cause } = error;
    const message = `${options.name}: ${placeIn(region, offset)} is a headers archive of ${bytes} bytes, but ${reason}`;
    const place = { ...details, offset: region.base + offset };
    search.damaged.push(new KhError(code, { message, hint, details: place, cause }));
  }
}

/** Modules and kernels that are packed with xz, wherever they are. */
function isWorthUnpacking(start: Buffer, offset: number, bytes: number): boolean {
  const kind = imageKind(start);
  return (kind === 'elf' || kind === 'arm64') && (offset === 0 || bytes >= SMALLEST_PACKED_MODULE);
}

async function searchStream(
  run: SearchRun,
  { source, layers }: Region,
  offset: number,
  bytes: number,
): Promise<void> {
  const { limits, signal } = run.options;
  const pieces: Buffer[] = [];
  const packed = chunksOf(source, offset, offset + bytes);
  const bounds = { memoryLimit: limits.decoderMemoryBytes, outputLimit: KERNEL_LIMIT, signal };
  try {
    for await (const piece of decodeXz(packed, bounds)) pieces.push(piece);
  } catch (error) {
    if (!isBadArchive(error)) throw error;
    run.search.failures.push(error);
    return;
  }
  await searchUnpacked(run, Buffer.concat(pieces), [...layers, 'xz']);
}

function brokenOff(name: string, region: Region, offset: number, { state, bytes }: MeasuredXz): KhError {
  const truncated = state === 'truncated';
  const what = truncated ? `is cut off after ${bytes} bytes` : `makes no sense ${bytes} bytes on`;
  return new KhError(truncated ? 'ARCHIVE_TRUNCATED' : 'ARCHIVE_CORRUPT', {
    message: `${name}: ${placeIn(region, offset)} begins a headers archive that ${what}`,
    hint: DAMAGED_HINT,
    details: { offset: region.base + offset },
  });
}
