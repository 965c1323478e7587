import { KhError } from '../core/errors';
import { runTool } from '../kbuild/toolchain/run-tool';

/** What a tar header's eleven octal digits hold. */
const LATEST = 8 ** 11 - 1;

/**
 * The time that an archive's members are to have, in seconds since 1970, where
 * the build is to be reproducible.
 *
 * @param timestamp as of KBUILD_BUILD_TIMESTAMP: any text that date(1) reads, in kernel builds the output of `date`
 * @param epoch SOURCE_DATE_EPOCH, for where there is no timestamp
 * @returns undefined where neither is given: kernel builds take the time of day then
 * @throws KhError USAGE for text that is no time
 * @see Documentation/kbuild/reproducible-builds.rst
 */
export async function packTime(
  timestamp: string | undefined,
  epoch: string | undefined,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (timestamp !== undefined && timestamp !== '') {
    const time = /^@\d+$/.test(timestamp) ? Number(timestamp.slice(1)) : await readDate(timestamp, signal);
    return usable(time, `the timestamp "${timestamp}"`);
  }
  if (epoch === undefined || epoch === '') return undefined;
  return usable(/^\d+$/.test(epoch) ? Number(epoch) : Number.NaN, `SOURCE_DATE_EPOCH "${epoch}"`);
}

/** The time of day, for members that are to have it; the nearest that a header holds where the clock is far off. */
export function timeOfDay(): number {
  return Math.min(Math.max(Math.floor(Date.now() / 1000), 0), LATEST);
}

/** As GNU tar reads it, where there is GNU's date; else what JavaScript makes of it. */
async function readDate(text: string, signal: AbortSignal): Promise<number> {
  const { status, output } = await runTool(['date'], ['-d', text, '+%s'], signal);
  if (status === 0 && /^-?\d+\n$/.test(output)) return Number(output);
  return Math.floor(Date.parse(text) / 1000);
}

function usable(time: number, what: string): number {
  if (Number.isSafeInteger(time) && time >= 0 && time <= LATEST) return time;
  throw new KhError('USAGE', {
    message: `${what} is no time that an archive can hold`,
    hint: 'Write it as date(1) does, or as seconds since 1970 with an @ in front.',
  });
}
