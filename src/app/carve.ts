import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { bufferSource, chunksOf } from '../core/byte-source';
import { outputError } from '../core/disk-error';
import { isErrno, KhError } from '../core/errors';
import { makeFolder } from '../core/make-folder';
import { behindLinks, refuseOddPlace } from '../core/replace-file';
import {
  carveImage,
  partOf,
  type CarvedKernel,
  type CarvedPart,
  type CarveContext,
  type Carving,
  type FoundKernel,
} from './carve-image';
import { kernelsWith, kernelWith } from './choose-carved';

export interface CarveOptions {
  /** A file; or a folder, which is there or ends with a separator. */
  output?: string;
  /** The part that has to be there, and is written; headers are the one to be there when left out. */
  what?: CarvedPart;
  /** Which of several kernels. */
  index?: number;
}

/** A file that was written. */
export interface WrittenPart {
  what: CarvedPart;
  /** Of the kernel that it is of. */
  index: number;
  path: string;
  bytes: number;
}

/** What is in an image, and what was written of it. */
export interface CarvedImage {
  image: string;
  bytes: number;
  kernels: CarvedKernel[];
  /** Why archives were left out that are damaged. */
  damaged: string[];
  written: WrittenPart[];
}

/**
 * Carves an image: into a file one part of one kernel, into a folder all that
 * was found, without `output` nothing.
 *
 * @throws KhError as `carveImage` and `kernelsWith`; USAGE; STORE_* where nothing can be written
 */
export async function carve(
  file: string,
  options: CarveOptions,
  context: CarveContext,
): Promise<CarvedImage> {
  await using carving = await carveImage(file, context);
  const { output, what = 'headers', index } = options;
  const chosen = await kernelsWith(carving, what, index);
  for (const { reason } of carving.search.damaged) context.emit({ type: 'warning', message: reason });
  const { image, bytes, search } = carving;
  const kernels = carving.kernels.map(({ facts }) => facts);
  const damaged = search.damaged.map(({ reason }) => reason);
  const written = output === undefined ? [] : await write(carving, chosen, output, options, context);
  return { image, bytes, kernels, damaged, written };
}

async function write(
  carving: Carving,
  chosen: FoundKernel[],
  output: string,
  { what, index }: CarveOptions,
  context: CarveContext,
): Promise<WrittenPart[]> {
  const path = resolve(output);
  if (!(await isFolder(output))) {
    const part = what ?? 'headers';
    refuseOddPlace(path);
    refuseImage(path, carving.image);
    return [await writePart(await kernelWith(carving, part, index), part, path, context)];
  }
  try {
    await makeFolder(path, 0o777);
  } catch (error) {
    throw outputError(error, path);
  }
  const parts = what === undefined ? PARTS : [what];
  const kernels = what === undefined && index === undefined ? carving.kernels : chosen;
  const written: WrittenPart[] = [];
  const names = new Set<string>();
  for (const kernel of kernels) {
    for (const part of parts.filter((one) => kernel[one] !== undefined)) {
      const name = freeName(part, kernel.facts, names);
      written.push(await writePart(kernel, part, join(path, name), context));
    }
  }
  return written;
}

/** The image may be all that there is of a kernel. */
function refuseImage(path: string, image: string): void {
  if (behindLinks(path) !== behindLinks(image)) return;
  throw new KhError('USAGE', {
    message: `${path} is the image itself, and is not replaced by a part of it`,
    hint: 'Name another file, or a folder.',
    details: { path },
  });
}

const PARTS: CarvedPart[] = ['headers', 'config', 'symvers'];

async function isFolder(output: string): Promise<boolean> {
  if (output.endsWith('/') || output.endsWith(sep)) return true;
  try {
    return (await stat(output)).isDirectory();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw outputError(error, resolve(output));
  }
}

/** By release; by index too where an image has several of the same, or another is called so. */
function freeName(
  part: CarvedPart,
  { release = 'unknown', index }: CarvedKernel,
  taken: Set<string>,
): string {
  const kernel = release.replace(/[^\w.+-]/g, '_').slice(0, LONGEST_RELEASE);
  for (let stem = kernel; ; stem = `${stem}-${index}`) {
    const name = NAMES[part](stem);
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}

/** What `uname -r` can be; a configuration may claim anything. */
const LONGEST_RELEASE = 64;

const NAMES: Record<CarvedPart, (kernel: string) => string> = {
  headers: (kernel) => `kheaders-${kernel}.tar.xz`,
  config: (kernel) => `config-${kernel}`,
  symvers: (kernel) => `Module.symvers-${kernel}`,
};

/** Whole or not at all; a file that is there is replaced. */
async function writePart(
  kernel: FoundKernel,
  what: CarvedPart,
  path: string,
  { signal }: CarveContext,
): Promise<WrittenPart> {
  const part = partOf(kernel, what) ?? Buffer.alloc(0);
  const source = Buffer.isBuffer(part) ? bufferSource(part) : part;
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await pipeline(chunksOf(source), createWriteStream(temporary, { flags: 'wx' }), { signal });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    signal.throwIfAborted();
    throw outputError(error, path, source.size);
  }
  return { what, index: kernel.facts.index, path, bytes: source.size };
}
