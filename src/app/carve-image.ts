import { basename, resolve } from 'node:path';
import { bufferSource, openFileSource, sliceSource, type ByteSource } from '../core/byte-source';
import { KhError } from '../core/errors';
import type { ArchiveLimits } from '../core/limits';
import type { Work } from '../core/work';
import { configuredVersion, isConfigOf } from '../kbuild/image/embedded-config';
import { readKernel } from '../kbuild/image/kernel-payload';
import { scanExports } from '../kbuild/image/scan-exports';
import { isSparseImage, openSparseImage } from '../kbuild/image/sparse-image';
import { formatSymvers, type SymversEntry } from '../kbuild/symvers/symvers-file';
import { damagedImage, isBadImage } from './search/damaged-image';
import type { Finds, FoundArchive, Region } from './search/region';
import { searchImage } from './search/search-image';
import { searchProgress } from './search/search-progress';
import type { Search } from './search/search-run';

/** A headers archive in an image, decoded to its end. */
export interface CarvedHeaders {
  /** In the image; or, where `within` names something packed, in what that unpacks to. */
  offset: number;
  bytes: number;
  /** What told of it: ELF symbols, the markers of early kernels, or its own first bytes. */
  foundBy: FoundArchive['foundBy'];
  /** Members. */
  entries: number;
  md5: string;
  sha256: string;
}

/** A kernel in an image: what is there of it. */
export interface CarvedKernel {
  /** From 1 on, in the order of the image; what --index takes. */
  index: number;
  /** What it was found in, outermost first, and what it is: `["boot", "gzip", "arm64"]`; empty for a raw dump. */
  within: string[];
  /** `uname -r`; absent where only a configuration was found. */
  release?: string;
  /** `uname -v`, where the kernel itself is in the image. */
  version?: string;
  headers?: CarvedHeaders;
  /** The kernel's `.config`, from its own copy (CONFIG_IKCONFIG). */
  config?: { bytes: number };
  /** Its exported symbols, and how many of them have a CRC. */
  symvers?: { symbols: number; crcs: number };
}

/** What a part of a kernel is written as. */
export type CarvedPart = 'headers' | 'config' | 'symvers';

/** A carved kernel with what is in it. */
export interface FoundKernel {
  facts: CarvedKernel;
  /** The archive and nothing else. */
  headers?: ByteSource;
  config?: Buffer;
  symvers?: SymversEntry[];
}

/** An image that was searched, and stays open for what is read of it. */
export interface Carving extends AsyncDisposable {
  /** Its path. */
  image: string;
  /** Of the file. */
  bytes: number;
  /** What was searched: the file, or what a sparse image expands to. */
  source: ByteSource;
  kernels: FoundKernel[];
  search: Search;
}

export type CarveContext = Pick<Work, 'signal' | 'emit'> & { limits: ArchiveLimits };

/**
 * Searches a kernel image, a boot image, a module or a whole dump for kernels:
 * their headers archives, configurations and exported symbols. Of something
 * large, no more than a window is in memory at a time, and what is packed.
 *
 * @throws KhError USAGE where it cannot be read, ARCHIVE_CORRUPT for a damaged sparse image, ARCHIVE_LIMIT,
 *   DECODER_MISSING, XZ_UNAVAILABLE; or the signal's reason
 */
export async function carveImage(file: string, context: CarveContext): Promise<Carving> {
  const path = resolve(file);
  const opened = await openFileSource(path);
  try {
    const isSparse = isSparseImage(await opened.read(0, Math.min(32, opened.size)));
    const source = isSparse ? await openSparseImage(opened, path) : opened;
    const kernels: FoundKernel[] = [];
    const progress = searchProgress(basename(path), source.size, context.emit);
    const search = await searchImage(source, {
      ...context,
      name: path,
      found: async (finds) => void kernels.push(...(await kernelsIn(finds, path, context))),
      warn: (message) => context.emit({ type: 'warning', message }),
      reached: progress.reached,
    });
    progress.end();
    if (search.stopped !== undefined) {
      if (kernels.length === 0) throw search.stopped;
      const message = `${search.stopped.reason}; there may be more than what was found`;
      context.emit({ type: 'warning', message });
    }
    const outer = isSparse ? ['sparse'] : [];
    const numbered = kernels.map(({ facts, ...rest }, index) => ({
      ...rest,
      facts: { ...facts, within: [...outer, ...facts.within], index: index + 1 },
    }));
    const close = () => opened[Symbol.asyncDispose]();
    const { size: bytes } = opened;
    return { image: path, bytes, source, kernels: numbered, search, [Symbol.asyncDispose]: close };
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw isBadImage(error) ? damagedImage(error) : error;
  }
}

/** What a region holds, by kernel: an archive and what belongs to it, then what belongs to none. */
async function kernelsIn(finds: Finds, name: string, context: CarveContext): Promise<FoundKernel[]> {
  const { region, archives, banners } = finds;
  const isKernel = ['arm64', 'elf'].includes(region.layers.at(-1) ?? '');
  const configs = new Set(finds.configs.map(({ text }) => text));
  const kernels: FoundKernel[] = [];
  for (const { offset, bytes, foundBy, proof } of archives) {
    const { release, autoconf = '', entries, md5, sha256 } = proof;
    const banner = banners.find((one) => one.release === release);
    if (isKernel && banner === undefined && banners[0] !== undefined) {
      const message = `${name}: the kernel calls itself ${banners[0].release}, and its headers are of ${release ?? 'no release'}`;
      context.emit({ type: 'warning', message });
    }
    const config = [...configs].find((text) => isConfigOf(text, autoconf));
    if (config !== undefined) configs.delete(config);
    const headers = { offset: region.base + offset, bytes, foundBy, entries, md5, sha256 };
    const symvers = isKernel && banner !== undefined ? await exportsOf(region, name, context) : undefined;
    kernels.push({
      ...kernel(region, { release, version: banner?.version, headers }, config, symvers),
      headers: await keepBytes(region, offset, bytes),
    });
  }
  if (isKernel && archives.length === 0 && banners[0] !== undefined) {
    const [config] = configs;
    if (config !== undefined) configs.delete(config);
    kernels.push(kernel(region, banners[0], config, await exportsOf(region, name, context)));
  }
  for (const config of configs) kernels.push(kernel(region, { release: configuredVersion(config) }, config));
  return kernels;
}

/** A copy where a slice would keep a whole kernel in memory. */
async function keepBytes({ source, inMemory }: Region, offset: number, bytes: number): Promise<ByteSource> {
  if (!inMemory) return sliceSource(source, offset, bytes);
  return bufferSource(Buffer.from(await source.read(offset, bytes)));
}

function kernel(
  { layers }: Region,
  {
    release,
    version,
    headers,
  }: { release?: string | undefined; version?: string | undefined; headers?: CarvedHeaders },
  config?: Buffer,
  symvers?: SymversEntry[],
): FoundKernel {
  const crcs = symvers?.filter(({ crc }) => crc !== undefined).length ?? 0;
  const facts = {
    index: 0,
    within: layers,
    ...(release === undefined ? {} : { release }),
    ...(version === undefined ? {} : { version }),
    ...(headers === undefined ? {} : { headers }),
    ...(config === undefined ? {} : { config: { bytes: config.length } }),
    ...(symvers === undefined ? {} : { symvers: { symbols: symvers.length, crcs } }),
  };
  return { facts, ...(config && { config }), ...(symvers && { symvers }) };
}

/** Undefined where the kernel does not show them: that is no failure here. */
async function exportsOf(
  { source }: Region,
  name: string,
  { signal }: CarveContext,
): Promise<SymversEntry[] | undefined> {
  try {
    const { bytes } = await readKernel(source, name, { signal });
    return scanExports(bytes, name).entries;
  } catch (error) {
    if (error instanceof KhError && ['BUILD_BAD_IMAGE', 'BUILD_NO_EXPORTS'].includes(error.code))
      return undefined;
    throw error;
  }
}

/** A part of a kernel as the bytes of a file; undefined where it was not found. */
export function partOf(found: FoundKernel, part: CarvedPart): ByteSource | Buffer | undefined {
  if (part === 'headers') return found.headers;
  if (part === 'config') return found.config;
  return found.symvers && Buffer.from(formatSymvers(found.symvers));
}
