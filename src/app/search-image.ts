import { findBytes, type Needle } from '../archive/carve/find-bytes';
import { measureXz, XZ_MAGIC, type MeasuredXz } from '../archive/carve/measure-xz';
import {
  looksLikeHeaders,
  peekIntoXz,
  proveHeaders,
  type ProofOptions,
  type ProvenHeaders,
} from '../archive/carve/prove-headers';
import { decodeXz } from '../archive/xz/decode-xz';
import { bufferSource, chunksOf, sliceSource, type ByteSource } from '../core/byte-source';
import { KhError } from '../core/errors';
import { findSymbols } from '../kbuild/elf/find-symbols';
import { findBootKernel } from '../kbuild/image/boot-image';
import { CONFIG_MARK, readEmbeddedConfig } from '../kbuild/image/embedded-config';
import { imageKind, type ImageKind } from '../kbuild/image/image-kind';
import { BANNER_START, readBanner, type KernelBanner } from '../kbuild/image/kernel-banner';
import { arm64ImageBytes, KERNEL_LIMIT, unpackLayer } from '../kbuild/image/kernel-payload';

/** A part of an image that is searched as one: a kernel, what something packed holds, or all of it. */
export interface Region {
  source: ByteSource;
  /** What it was found in, outermost first, and what it is, where that is known. */
  layers: ImageKind[];
  /** Its place: in the image, or in what the last packed layer unpacks to. */
  base: number;
}

export interface FoundArchive {
  /** In its region. */
  offset: number;
  bytes: number;
  foundBy: 'symbols' | 'markers' | 'scan';
  proof: ProvenHeaders;
}

/** What a region holds. */
export interface Finds {
  region: Region;
  archives: FoundArchive[];
  configs: { offset: number; text: Buffer }[];
  banners: KernelBanner[];
}

/** All that was found in an image. */
export interface Search {
  finds: Finds[];
  /** Headers archives that are cut off or damaged: the error says where. */
  damaged: KhError[];
  /** Layers that could not be unpacked. */
  failures: KhError[];
  /** Streams of xz that hold something else. */
  otherStreams: number;
}

export interface SearchOptions extends ProofOptions {
  /** For messages. */
  name: string;
}

const HEAD_BYTES = 4096;
/** Sparse image, boot image, gzip, kernel, module: nothing real is deeper. */
const DEEPEST = 6;
/** So many streams are in a partition full of packed modules; more are made to keep a reader busy. */
const MOST_STREAMS = 20_000;
/** Of a region; a kernel has one of each. */
const MOST_CONFIGS = 16;
const MOST_BANNERS = 256;
/** In an image. */
const MOST_ARCHIVES = 64;
/** Of all that is unpacked in the course of a search. */
const MOST_UNPACKED = 1 << 30;
/** A headers archive cannot be packed further, so a module with one is larger than this. */
const SMALLEST_PACKED_MODULE = 1 << 20;
const PARTITION_ALIGN = 512;

type Mark = 'xz' | 'headers-start' | 'headers-end' | 'config' | 'banner' | 'boot' | 'arm64';

const HEADERS_START = Buffer.from('IKHD_ST');
const HEADERS_END = Buffer.from('IKHD_ED');
const SYMBOLS = ['kernel_headers_data', 'kernel_headers_data_end'];

const NEEDLES: Needle<Mark>[] = [
  { kind: 'xz', bytes: XZ_MAGIC },
  { kind: 'headers-start', bytes: HEADERS_START },
  { kind: 'headers-end', bytes: HEADERS_END },
  { kind: 'config', bytes: CONFIG_MARK },
  { kind: 'banner', bytes: BANNER_START },
  { kind: 'boot', bytes: Buffer.from('ANDROID!'), within: { offset: 0, align: PARTITION_ALIGN } },
  { kind: 'arm64', bytes: Buffer.from('ARM\x64'), within: { offset: 0x38, align: PARTITION_ALIGN } },
];

/**
 * Searches an image for kernels and their headers archives: through boot
 * images and packed kernels, or else byte by byte, a window at a time.
 *
 * @throws KhError DECODER_MISSING, XZ_UNAVAILABLE, ARCHIVE_LIMIT; what `source.read` throws; or the signal's reason
 */
export async function searchImage(source: ByteSource, options: SearchOptions): Promise<Search> {
  const search = { finds: [], damaged: [], failures: [], otherStreams: 0 };
  await new Searcher(search, options).searchRegion({ source, layers: [], base: 0 });
  return search;
}

class Searcher {
  #streams = 0;
  #archives = 0;
  #unpacked = 0;

  constructor(
    private readonly search: Search,
    private readonly options: SearchOptions,
  ) {}

  async searchRegion({ source, layers, base }: Region): Promise<void> {
    if (layers.length >= DEEPEST) return;
    const kind = imageKind(await source.read(0, Math.min(HEAD_BYTES, source.size)));
    const isKernel = kind === 'arm64' || kind === 'elf';
    const region = { source, layers: isKernel && layers.at(-1) !== kind ? [...layers, kind] : layers, base };
    const passed = await this.#enter(region, kind);
    if (passed < source.size) await this.#scan(region, passed);
  }

  /** Searches what a region begins with, if that is a layer to take off. @returns where to scan from */
  async #enter(region: Region, kind: ImageKind | undefined): Promise<number> {
    const { source, layers } = region;
    try {
      switch (kind) {
        case 'boot':
          return await this.#enterBoot(region, 0);
        case 'gzip':
        case 'lz4-legacy':
        case 'lz4-frame':
        case 'zstd':
        case 'zboot':
        case 'bzImage': {
          const packed = await this.#readWhole(source);
          const bytes = await unpackLayer(kind, packed, this.options.name, {
            limit: KERNEL_LIMIT,
            signal: this.options.signal,
          });
          await this.#searchUnpacked(bytes, [...layers, kind]);
          return source.size;
        }
        case 'arm64':
        case 'elf':
        case 'xz': // Its scan meets it as the first stream.
        case undefined:
          return 0;
      }
    } catch (error) {
      if (!(error instanceof KhError && error.code === 'BUILD_BAD_IMAGE')) throw error;
      this.search.failures.push(damagedImage(error));
      return kind === 'boot' ? 0 : source.size;
    }
  }

  async #searchUnpacked(bytes: Buffer, layers: ImageKind[]): Promise<void> {
    this.#unpacked += bytes.length;
    if (this.#unpacked > MOST_UNPACKED) {
      throw tooMuch(this.options.name, `${MOST_UNPACKED} bytes when unpacked`);
    }
    await this.searchRegion({ source: bufferSource(bytes), layers, base: 0 });
  }

  async #readWhole(source: ByteSource): Promise<Buffer> {
    if (source.size <= KERNEL_LIMIT) return source.read(0, source.size);
    throw new KhError('BUILD_BAD_IMAGE', {
      message: `${this.options.name} is packed and has ${source.size} bytes; kh unpacks up to ${KERNEL_LIMIT}`,
      hint: 'Unpack it first.',
    });
  }

  /** @returns the end of the boot image's kernel */
  async #enterBoot({ source, layers, base }: Region, at: number): Promise<number> {
    const rest = sliceSource(source, at, source.size - at);
    const { offset, size } = await findBootKernel(rest, this.options.name);
    const kernel = sliceSource(rest, offset, size);
    await this.searchRegion({ source: kernel, layers: [...layers, 'boot'], base: base + at + offset });
    return at + offset + size;
  }

  async #scan(region: Region, from: number): Promise<void> {
    const { source } = region;
    const finds: Finds = { region, archives: [], configs: [], banners: [] };
    const marked = region.layers.at(-1) === 'elf' ? await symbolExtents(source) : [];
    let place = from;
    let markedFrom: number | undefined;
    for await (const { kind, offset } of findBytes(source, NEEDLES, {
      signal: this.options.signal,
      next: () => place,
    })) {
      if (offset < place) continue;
      if (kind === 'xz') place = await this.#meetStream(finds, offset, marked);
      else if (kind === 'headers-start') markedFrom = offset + HEADERS_START.length;
      else if (kind === 'headers-end' && markedFrom !== undefined) {
        marked.push({ by: 'markers', start: markedFrom, end: offset });
        markedFrom = undefined;
      } else place = await this.#meetPart(finds, kind, offset);
    }
    this.#missing(finds, marked);
    if (finds.archives.length + finds.configs.length + finds.banners.length > 0)
      this.search.finds.push(finds);
  }

  /** Whatever is no xz stream. @returns where to go on */
  async #meetPart(finds: Finds, kind: Mark, offset: number): Promise<number> {
    const { source } = finds.region;
    if (kind === 'config' && finds.configs.length < MOST_CONFIGS) {
      const text = await readEmbeddedConfig(source, offset);
      if (text !== undefined) finds.configs.push({ offset, text });
    } else if (kind === 'banner' && finds.banners.length < MOST_BANNERS) {
      const banner = await readBanner(source, offset);
      if (banner !== undefined) finds.banners.push(banner);
    } else if (kind === 'boot') return this.#meetBoot(finds.region, offset);
    else if (kind === 'arm64') return this.#meetKernel(finds.region, offset);
    return offset + 1;
  }

  async #meetBoot(region: Region, offset: number): Promise<number> {
    try {
      return await this.#enterBoot(region, offset);
    } catch (error) {
      // What merely begins like a boot image is none.
      if (error instanceof KhError && error.code === 'BUILD_BAD_IMAGE') return offset + 1;
      throw error;
    }
  }

  /** A kernel that is not packed, somewhere in a dump. */
  async #meetKernel({ source, layers, base }: Region, offset: number): Promise<number> {
    if (offset === 0 && layers.at(-1) === 'arm64') return 1;
    const header = await source.read(offset, Math.min(HEAD_BYTES, source.size - offset));
    const bytes = imageKind(header) === 'arm64' ? arm64ImageBytes(header) : 0;
    const size = Math.min(bytes, source.size - offset);
    if (size < HEAD_BYTES || size > KERNEL_LIMIT) return offset + 1;
    const kernel = sliceSource(source, offset, size);
    await this.searchRegion({ source: kernel, layers: [...layers, 'arm64'], base: base + offset });
    return offset + size;
  }

  /** @returns where to go on: behind the stream, if it is one */
  async #meetStream(finds: Finds, offset: number, marked: Extent[]): Promise<number> {
    const { source } = finds.region;
    const measured = await measureXz(source, offset);
    if (measured === undefined) return offset + 1;
    this.#streams += 1;
    if (this.#streams > MOST_STREAMS) throw tooMuch(this.options.name, `${MOST_STREAMS} xz streams`);
    const rest = sliceSource(source, offset, source.size - offset);
    const start = await peekIntoXz(rest, this.options);
    const end = offset + (measured.state === 'whole' ? measured.bytes : 1);
    if (!looksLikeHeaders(start)) {
      this.search.otherStreams += 1;
      if (measured.state === 'whole') await this.#enterStream(finds.region, offset, measured.bytes, start);
    } else if (measured.state === 'whole') {
      this.#archives += 1;
      if (this.#archives > MOST_ARCHIVES)
        throw tooMuch(this.options.name, `${MOST_ARCHIVES} headers archives`);
      await this.#prove(finds, offset, measured.bytes, marked);
    } else this.search.damaged.push(this.#brokenOff(finds.region, offset, measured));
    return end;
  }

  async #prove(finds: Finds, offset: number, bytes: number, marked: Extent[]): Promise<void> {
    const { region } = finds;
    try {
      const proof = await proveHeaders(sliceSource(region.source, offset, bytes), this.options);
      if (proof === undefined) this.search.otherStreams += 1;
      else
        finds.archives.push({ offset, bytes, foundBy: await foundBy(region.source, offset, marked), proof });
    } catch (error) {
      if (!(error instanceof KhError && error.code.startsWith('ARCHIVE_'))) throw error;
      const { code, reason, hint, details, cause } = error;
      const message = `${this.#place(region, offset)} is a headers archive of ${bytes} bytes, but ${reason}`;
      this.search.damaged.push(
        new KhError(code, {
          message,
          hint: hint ?? DAMAGED_HINT,
          details: { ...details, offset: region.base + offset },
          cause,
        }),
      );
    }
  }

  /** Modules and kernels that are packed with xz, wherever they are. */
  async #enterStream(
    { source, layers }: Region,
    offset: number,
    bytes: number,
    start: Buffer,
  ): Promise<void> {
    const kind = imageKind(start);
    const worth = offset === 0 || bytes >= SMALLEST_PACKED_MODULE;
    if (!worth || (kind !== 'elf' && kind !== 'arm64')) return;
    const { limits, signal } = this.options;
    const pieces: Buffer[] = [];
    const packed = chunksOf(source, offset, offset + bytes);
    try {
      for await (const piece of decodeXz(packed, {
        memoryLimit: limits.decoderMemoryBytes,
        outputLimit: KERNEL_LIMIT,
        signal,
      }))
        pieces.push(piece);
    } catch (error) {
      if (!(error instanceof KhError && error.code.startsWith('ARCHIVE_'))) throw error;
      this.search.failures.push(error);
      return;
    }
    await this.#searchUnpacked(Buffer.concat(pieces), [...layers, 'xz']);
  }

  /** What symbols or markers tell of has to be there. */
  #missing({ region, archives }: Finds, marked: Extent[]): void {
    const known = [
      ...archives.map(({ offset }) => region.base + offset),
      ...this.search.damaged.map(offsetOf),
    ];
    for (const { by, start, end } of marked) {
      if (end - start < SMALLEST_MARKED || known.includes(region.base + start)) continue;
      this.search.damaged.push(
        new KhError('ARCHIVE_CORRUPT', {
          message: `${this.#place(region, start)} should be a headers archive of ${end - start} bytes, as ${by} say, but no xz data begins there`,
          hint: DAMAGED_HINT,
          details: { offset: region.base + start },
        }),
      );
    }
  }

  #brokenOff(region: Region, offset: number, { state, bytes }: MeasuredXz): KhError {
    const truncated = state === 'truncated';
    const what = truncated ? `is cut off after ${bytes} bytes` : `makes no sense ${bytes} bytes on`;
    return new KhError(truncated ? 'ARCHIVE_TRUNCATED' : 'ARCHIVE_CORRUPT', {
      message: `${this.#place(region, offset)} begins a headers archive that ${what}`,
      hint: DAMAGED_HINT,
      details: { offset: region.base + offset },
    });
  }

  #place({ layers, base }: Region, offset: number): string {
    const within = layers.length === 0 ? '' : ` (in ${layers.join(', ')})`;
    return `${this.options.name}: at byte ${base + offset}${within}`;
  }
}

/** Where an archive lies, as something other than its own bytes tells. */
interface Extent {
  by: 'symbols' | 'markers';
  start: number;
  end: number;
}

/** Text that speaks of the markers has less between them than any archive. */
const SMALLEST_MARKED = 1024;

const DAMAGED_HINT =
  'The image is cut off or damaged; or it is a file system that keeps the file in pieces: then take the file out of it and carve that.';

async function symbolExtents(source: ByteSource): Promise<Extent[]> {
  const places = await findSymbols(source, SYMBOLS);
  const [start, end] = SYMBOLS.map((name) => places.find((place) => place.name === name)?.offset);
  return start !== undefined && end !== undefined && end > start ? [{ by: 'symbols', start, end }] : [];
}

async function foundBy(
  source: ByteSource,
  offset: number,
  marked: Extent[],
): Promise<FoundArchive['foundBy']> {
  const extent = marked.find(({ start }) => start === offset);
  if (extent !== undefined) return extent.by;
  const before = offset - HEADERS_START.length;
  const marks = before >= 0 && (await source.read(before, HEADERS_START.length)).equals(HEADERS_START);
  return marks ? 'markers' : 'scan';
}

function offsetOf({ details }: KhError): unknown {
  return details?.['offset'];
}

/** The failure of an image that cannot be unpacked. Those who build with one get other advice. */
export function damagedImage({ reason, details, cause }: KhError): KhError {
  return new KhError('ARCHIVE_CORRUPT', {
    message: reason,
    hint: 'It is cut off or damaged: get it anew, and compare its size and digest. What is too large to be unpacked here, unpack first.',
    details,
    cause,
  });
}

function tooMuch(name: string, what: string): KhError {
  return new KhError('ARCHIVE_LIMIT', {
    message: `${name} has more than ${what} in it: kh stopped looking`,
    hint: 'Name the partition or the file with the kernel instead of the whole disk.',
  });
}
