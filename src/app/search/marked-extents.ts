import type { ByteSource } from '../../core/byte-source';
import { KhError } from '../../core/errors';
import { findSymbols } from '../../kbuild/elf/find-symbols';
import { DAMAGED_HINT } from './damaged-image';
import { placeIn, type Extent, type Finds, type FoundArchive } from './region';
import type { SearchRun } from './search-run';

/** Around the archive in the kernels that first had one. */
export const HEADERS_START = Buffer.from('IKHD_ST');
export const HEADERS_END = Buffer.from('IKHD_ED');
/** Around it in every vmlinux and kheaders.ko since. */
const SYMBOLS = ['kernel_headers_data', 'kernel_headers_data_end'];

/** Text that speaks of the markers has less between them than any archive. */
const SMALLEST_MARKED = 1024;

/** Where the symbols of an ELF file say that its archive is. */
export async function symbolExtents(source: ByteSource): Promise<Extent[]> {
  const places = await findSymbols(source, SYMBOLS);
  const [start, end] = SYMBOLS.map((name) => places.find((place) => place.name === name)?.offset);
  return start !== undefined && end !== undefined && end > start ? [{ by: 'symbols', start, end }] : [];
}

/** Takes those out that a part of the region holds. @returns them, by their place in that part */
export function takeMarkedWithin({ marked }: Finds, from: number, size: number): Extent[] {
  const within = marked.filter(({ start, end }) => start >= from && end <= from + size);
  for (const extent of within) marked.splice(marked.indexOf(extent), 1);
  return within.map(({ by, start, end }) => ({ by, start: start - from, end: end - from }));
}

/** What told of the archive at an offset. */
export async function foundBy(
  { region: { source }, marked }: Finds,
  offset: number,
): Promise<FoundArchive['foundBy']> {
  const extent = marked.find(({ start }) => start === offset);
  if (extent !== undefined) return extent.by;
  const before = offset - HEADERS_START.length;
  const marks = before >= 0 && (await source.read(before, HEADERS_START.length)).equals(HEADERS_START);
  return marks ? 'markers' : 'scan';
}

/** What symbols or markers tell of has to be there: notes as damaged what is not. */
export function noteMissing({ search, options }: SearchRun, { region, archives, marked }: Finds): void {
  const known = [
    ...archives.map(({ offset }) => region.base + offset),
    ...search.damaged.map(({ details }) => details?.['offset']),
  ];
  for (const { by, start, end } of marked) {
    if (end - start < SMALLEST_MARKED || known.includes(region.base + start)) continue;
    search.damaged.push(
      new KhError('ARCHIVE_CORRUPT', {
        message: `${options.name}: ${placeIn(region, start)} should be a headers archive of ${end - start} bytes, as ${by} say, but no xz data begins there`,
        hint: DAMAGED_HINT,
        details: { offset: region.base + start },
      }),
    );
  }
}
