import { findBytes, type Needle } from '../../archive/carve/find-bytes';
import { isXzHeader, XZ_HEADER_BYTES, XZ_MAGIC } from '../../archive/carve/measure-xz';
import type { ByteSource } from '../../core/byte-source';
import { CONFIG_MARK, readEmbeddedConfig } from '../../kbuild/image/embedded-config';
import { imageKind } from '../../kbuild/image/image-kind';
import { BANNER_START, readBanner } from '../../kbuild/image/kernel-banner';
import type { PackedKind } from '../../kbuild/image/packed-kernel';
import { PACKED_MARKS } from '../../kbuild/image/packed-marks';
import { HEAD_BYTES, meetBootImage, meetKernel } from './loose-kernel';
import { meetPacked } from './loose-packed';
import { HEADERS_END, HEADERS_START, noteMissing, symbolExtents } from './marked-extents';
import { searchInOuterLayer } from './outer-layer';
import type { Finds, Region } from './region';
import { isTooMuch, spend, startSearch, type Search, type SearchOptions, type SearchRun } from './search-run';
import { meetXzStream } from './xz-stream';

/** Sparse image, boot image, gzip, kernel, module: nothing real is deeper. */
const DEEPEST = 6;
/** Of a region; a kernel has one of each. */
const MOST_CONFIGS = 16;
const MOST_BANNERS = 256;
const PARTITION_ALIGN = 512;

type Mark = 'xz' | 'headers-start' | 'headers-end' | 'config' | 'banner' | 'boot' | 'arm64' | PackedKind;

const NEEDLES: Needle<Mark>[] = [
  { kind: 'xz', bytes: XZ_MAGIC, fits: { bytes: XZ_HEADER_BYTES, test: isXzHeader } },
  { kind: 'headers-start', bytes: HEADERS_START },
  { kind: 'headers-end', bytes: HEADERS_END },
  { kind: 'config', bytes: CONFIG_MARK },
  { kind: 'banner', bytes: BANNER_START },
  { kind: 'boot', bytes: Buffer.from('ANDROID!'), within: { offset: 0, align: PARTITION_ALIGN } },
  { kind: 'arm64', bytes: Buffer.from('ARM\x64'), within: { offset: 0x38, align: PARTITION_ALIGN } },
  ...PACKED_MARKS,
];

/**
 * Searches an image for kernels and their headers archives: through boot
 * images and packed kernels, or else byte by byte, a window at a time.
 *
 * @returns with `stopped` where the image has more in it than any has, and kh stopped looking
 * @throws KhError DECODER_MISSING, XZ_UNAVAILABLE, ARCHIVE_LIMIT; what `source.read` throws; or the signal's reason
 */
export async function searchImage(source: ByteSource, options: SearchOptions): Promise<Search> {
  const run = startSearch(options, searchRegion);
  await run.searchRegion({ source, layers: [], base: 0, inMemory: false });
  return run.search;
}

async function searchRegion(run: SearchRun, { layers, ...rest }: Region): Promise<void> {
  const { source } = rest;
  if (layers.length >= DEEPEST) return;
  const kind = imageKind(await source.read(0, Math.min(HEAD_BYTES, source.size)));
  const isKernel = kind === 'arm64' || kind === 'elf';
  const region = { ...rest, layers: isKernel && layers.at(-1) !== kind ? [...layers, kind] : layers };
  const passed = await searchInOuterLayer(run, region, kind);
  if (passed < source.size) await scan(run, region, passed);
}

/** Goes through a region for the marks of what it may hold. */
async function scan(run: SearchRun, region: Region, from: number): Promise<void> {
  const { source, layers } = region;
  const marked = [...(region.marked ?? []), ...(layers.at(-1) === 'elf' ? await symbolExtents(source) : [])];
  const finds: Finds = { region, marked, archives: [], configs: [], banners: [] };
  try {
    await meetMarks(run, finds, from);
    noteMissing(run, finds);
  } catch (error) {
    if (!isTooMuch(error)) throw error;
    run.search.stopped ??= error;
  }
  if (finds.archives.length + finds.configs.length + finds.banners.length > 0) await run.options.found(finds);
}

async function meetMarks(run: SearchRun, finds: Finds, from: number): Promise<void> {
  const { region, marked } = finds;
  const { signal } = run.options;
  let place = from;
  let markedFrom: number | undefined;
  for await (const { kind, offset } of findBytes(region.source, NEEDLES, {
    signal,
    next: () => place,
    reached: (offset) => {
      if (!region.inMemory) run.options.reached(region.base + offset);
    },
    wanted: (kind) => !(run.packedGivenUp && isPackedKind(kind)),
  })) {
    if (offset < place) continue;
    signal.throwIfAborted();
    if (kind === 'xz') place = await meetXzStream(run, finds, offset);
    else if (kind === 'headers-start') markedFrom = offset + HEADERS_START.length;
    else if (kind === 'headers-end' && markedFrom !== undefined) {
      marked.push({ by: 'markers', start: markedFrom, end: offset });
      markedFrom = undefined;
    } else place = await meetPart(run, finds, kind, offset);
  }
}

/** Whatever is no xz stream. @returns where to go on */
async function meetPart(run: SearchRun, finds: Finds, kind: Mark, offset: number): Promise<number> {
  const { region, configs, banners } = finds;
  if (isPackedKind(kind)) return meetPacked(run, region, kind, offset);
  spend(run, 'looks');
  if (kind === 'config' && configs.length < MOST_CONFIGS) {
    const text = await readEmbeddedConfig(region.source, offset);
    if (text !== undefined) configs.push({ offset, text });
  } else if (kind === 'banner' && banners.length < MOST_BANNERS) {
    const banner = await readBanner(region.source, offset);
    if (banner !== undefined) banners.push(banner);
  } else if (kind === 'boot') return meetBootImage(run, region, offset);
  else if (kind === 'arm64') return meetKernel(run, finds, offset);
  return offset + 1;
}

function isPackedKind(kind: Mark): kind is PackedKind {
  return PACKED_MARKS.some((mark) => mark.kind === kind);
}
