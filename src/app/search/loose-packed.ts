import { sliceSource } from '../../core/byte-source';
import { KhError } from '../../core/errors';
import { KERNEL_LIMIT } from '../../kbuild/image/kernel-payload';
import { unpackPackedKernel, type PackedKind } from '../../kbuild/image/packed-kernel';
import { damagedImage, isBadImage } from './damaged-image';
import { searchUnpacked } from './outer-layer';
import { placeIn, type Region } from './region';
import { canUnpack, type SearchRun } from './search-run';
import { SMALLEST_PACKED_MODULE } from './xz-stream';

/** What a look at a mark costs, in bytes unpacked. */
const LOOK = 32 * 1024;
/** So many bytes may be unpacked to see what they are: what needs more was made to keep a reader busy. */
const MOST_LOOKED_AT = 2 ** 30;

/** A packed kernel or module, somewhere in a dump. @returns where to go on: behind it, if it is one */
export async function meetPacked(
  run: SearchRun,
  region: Region,
  kind: PackedKind,
  offset: number,
): Promise<number> {
  const { source, layers } = region;
  const { search, options } = run;
  if (run.packedGivenUp) return offset + 1;
  run.lookedAt += LOOK;
  const bounds = {
    name: `${options.name}: what is ${placeIn(region, offset)}`,
    signal: options.signal,
    limit: KERNEL_LIMIT,
    smallestElf: SMALLEST_PACKED_MODULE,
    onMeasured: (bytes: number) => (run.lookedAt += bytes),
  };
  try {
    const rest = sliceSource(source, offset, source.size - offset);
    const unpacked = await unpackPackedKernel(kind, rest, bounds);
    if (run.lookedAt > MOST_LOOKED_AT || !canUnpack(run, unpacked?.bytes.length ?? 0)) {
      giveUp(run, region, offset);
    } else if (unpacked !== undefined) {
      await searchUnpacked(run, unpacked.bytes, [...layers, kind]);
      return offset + unpacked.packedBytes;
    }
  } catch (error) {
    if (isBadImage(error)) search.failures.push(damagedImage(error));
    else if (error instanceof KhError && error.code === 'DECODER_MISSING') search.failures.push(error);
    else throw error;
  }
  return offset + 1;
}

/** What is not packed is looked for on. */
function giveUp(run: SearchRun, region: Region, offset: number): void {
  run.packedGivenUp = true;
  const message = `${run.options.name}: too much in it looks like a packed kernel; from ${placeIn(region, offset).slice(3)} on, only what is not packed is looked for`;
  run.options.warn(message);
}
