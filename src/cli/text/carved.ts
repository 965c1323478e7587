import type { CarvedKernel } from '../../app/carve-image';
import type { CarvedImage } from '../../app/carve';
import { humanBytes } from '../../core/human';
import { printable } from '../../core/printable';
import type { Palette } from '../../ui/colour';
import { renderFacts } from '../../ui/table';

/** What `kh carve` prints: the files that it wrote, one path a line; without any, what is in the image. */
export function carvedText({ kernels, written }: CarvedImage, colours: Palette): string {
  if (written.length > 0) return written.map(({ path }) => `${printable(path)}\n`).join('');
  return kernels.map((kernel) => kernelFacts(kernel, colours)).join('\n');
}

function kernelFacts(
  { index, release, version, within, headers, config, symvers }: CarvedKernel,
  colours: Palette,
): string {
  return renderFacts(
    [
      ['index', String(index)],
      ['kernel', release ?? 'unknown'],
      ['version', version],
      ['found in', within.length > 0 ? within.join(', ') : undefined],
      ['headers', headers && `${humanBytes(headers.bytes)}, ${headers.entries} entries`],
      ['place', headers && `${headers.bytes} bytes at ${headers.offset}, found by ${headers.foundBy}`],
      ['md5', headers?.md5],
      ['sha256', headers?.sha256],
      ['config', config && humanBytes(config.bytes)],
      ['symbols', symvers && `${symvers.symbols} exported, ${symvers.crcs} with a CRC`],
    ],
    colours,
  );
}
