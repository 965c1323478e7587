import { KhError } from '../core/errors';
import { configuredValue } from '../kbuild/image/embedded-config';
import { describeFileSystem } from '../kbuild/image/file-system';
import { describeImage, imageKind } from '../kbuild/image/image-kind';
import { partOf, type CarvedPart, type Carving, type FoundKernel } from './carve-image';

/**
 * The kernels of an image that have a part, or the one that is named.
 *
 * @param index as in the facts; all that have the part when left out
 * @returns at least one
 * @throws KhError USAGE for an index that is not there; where nothing was found, why: ARCHIVE_CORRUPT,
 *   ARCHIVE_TRUNCATED or ARCHIVE_LIMIT of an archive that is there, ARCHIVE_CORRUPT of an image that could not be
 *   unpacked, and else HEADERS_ABSENT
 */
export async function kernelsWith(
  carving: Carving,
  part: CarvedPart,
  index?: number,
): Promise<FoundKernel[]> {
  const having = carving.kernels.filter((kernel) => has(kernel, part));
  if (having.length === 0) throw await nothingFound(carving, part);
  if (index === undefined) return having;
  const chosen = having.filter(({ facts }) => facts.index === index);
  if (chosen.length > 0) return chosen;
  throw new KhError('USAGE', {
    message: `${carving.image} has no ${WORDS[part]} at index ${index}`,
    hint: `There is: ${having.map(described).join('; ')}.`,
  });
}

/**
 * As `kernelsWith`, the only one: of several with the same bytes, as an image
 * with two slots has them, the first.
 *
 * @throws KhError as `kernelsWith`; USAGE where they differ
 */
export async function kernelWith(carving: Carving, part: CarvedPart, index?: number): Promise<FoundKernel> {
  const having = await kernelsWith(carving, part, index);
  const [first, ...others] = having;
  if (first !== undefined && others.every((other) => isSame(first, other, part))) return first;
  throw new KhError('USAGE', {
    message: `${carving.image} has ${having.length} kernels with ${WORDS[part]}: ${having.map(described).join('; ')}`,
    hint: 'Choose one with --index N; `kh carve -o FOLDER/` writes all.',
    details: { kernels: having.map(({ facts }) => facts) },
  });
}

const WORDS: Record<CarvedPart, string> = {
  headers: 'headers archive',
  config: 'configuration',
  symvers: 'table of exported symbols',
};

function has(kernel: FoundKernel, part: CarvedPart): boolean {
  return kernel[part] !== undefined;
}

function described({ facts: { index, release, headers } }: FoundKernel): string {
  const at =
    headers === undefined ? '' : ` (at byte ${headers.offset}, sha256 ${headers.sha256.slice(0, 12)})`;
  return `${index}: ${release ?? 'unknown kernel'}${at}`;
}

function isSame(one: FoundKernel, other: FoundKernel, part: CarvedPart): boolean {
  if (part === 'headers') return one.facts.headers?.sha256 === other.facts.headers?.sha256;
  const [first, second] = [partOf(one, part), partOf(other, part)];
  return Buffer.isBuffer(first) && Buffer.isBuffer(second) && first.equals(second);
}

async function nothingFound(carving: Carving, part: CarvedPart): Promise<KhError> {
  const { image, kernels, search } = carving;
  const [damaged] = search.damaged;
  if (part === 'headers' && damaged !== undefined) return damaged;
  const [failure] = search.failures;
  if (failure !== undefined && kernels.length === 0) return failure;
  const names = kernels.map(({ facts: { release = 'of an unknown release', within } }) =>
    within.length === 0 ? release : `${release} (${within.join(', ')})`,
  );
  const what =
    names.length === 0 ? await describeWhole(carving) : `it holds the kernel ${names.join(', and ')}`;
  const { otherStreams } = search;
  const streams =
    otherStreams === 0
      ? ''
      : `; of ${otherStreams} xz ${otherStreams === 1 ? 'stream' : 'streams'} in it, none holds headers`;
  return new KhError('HEADERS_ABSENT', {
    message: `${image} has no ${WORDS[part]} in it: ${what}${part === 'headers' ? streams : ''}`,
    hint:
      part === 'headers'
        ? await whereElse(carving)
        : 'The kernel was built without it, or it is not in this image.',
    details: { image, kernels: kernels.map(({ facts }) => facts), otherStreams },
  });
}

async function describeWhole({ source }: Carving): Promise<string> {
  const start = await source.read(0, Math.min(4096, source.size));
  const kind = imageKind(start);
  if (kind === 'elf') return 'it is an ELF file without a kernel or a kheaders module in it';
  return `it is ${(await describeFileSystem(source)) ?? describeImage(start)}`;
}

/** Where headers are to be had that are not in an image. */
async function whereElse({ kernels, source }: Carving): Promise<string> {
  if (kernels.length > 0) return [whereElseOf(kernels), alsoHere(kernels)].filter(Boolean).join(' ');
  if ((await describeFileSystem(source)) !== undefined) return IN_PIECES;
  return `Name the boot image, the kernel, or ${MODULE}.`;
}

const MODULE = 'kheaders.ko, which is on the partition system_dlkm, vendor_dlkm or vendor';
const IN_PIECES =
  'A file in it is found only where it lies in one piece and is not packed: take kheaders.ko out of it, and carve that.';

function whereElseOf(kernels: FoundKernel[]): string {
  const config = kernels.find((kernel) => kernel.config !== undefined)?.config;
  if (config === undefined) {
    return `Carve ${MODULE}. Where there is none, the kernel was built without CONFIG_IKHEADERS, and no image of it has them.`;
  }
  switch (configuredValue(config, 'IKHEADERS') ?? configuredValue(config, 'IKHEADERS_PROC')) {
    case 'm':
      return `It was built with CONFIG_IKHEADERS=m: carve ${MODULE}.`;
    case undefined:
      return 'It was built without CONFIG_IKHEADERS: no image of it has them. `kh pack` makes them from its build.';
    default:
      return 'It was built with CONFIG_IKHEADERS=y, so they were in it: the image is cut off, or was changed.';
  }
}

function alsoHere(kernels: FoundKernel[]): string {
  const here = (['config', 'symvers'] as const)
    .filter((part) => kernels.some((kernel) => has(kernel, part)))
    .map((part) => `the ${WORDS[part]} (\`kh carve --what ${part}\`)`);
  return here.length === 0 ? '' : `What is here: ${here.join(', ')}.`;
}
