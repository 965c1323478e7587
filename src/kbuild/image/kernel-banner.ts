import type { ByteSource } from '../../core/byte-source';

/** What a kernel says of itself as it starts. */
export interface KernelBanner {
  /** `uname -r` */
  release: string;
  /** `uname -v` */
  version: string;
}

export const BANNER_START = Buffer.from('Linux version ');
const LONGEST = 1024;

/**
 * Reads the line that begins at `offset` with "Linux version". The same words
 * stand in other places, as in programs that read that line: those have no
 * build number behind them.
 *
 * @see init/version.c of the kernel, `linux_banner`
 */
export async function readBanner(source: ByteSource, offset: number): Promise<KernelBanner | undefined> {
  const text = (await source.read(offset, Math.min(LONGEST, source.size - offset))).toString('latin1');
  const [, release, version] =
    /^Linux version (\d[\x21-\x7e]{0,63}) \(.*\) (#\d[\x20-\x7e]*)\n/.exec(text) ?? [];
  return release === undefined || version === undefined ? undefined : { release, version };
}
