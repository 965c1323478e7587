import type { PackedHeaders } from '../../app/pack-headers';
import { printable } from '../../core/printable';

/** What `kh pack` prints: the path of each archive, one a line. */
export function packedText({ archive, full }: PackedHeaders): string {
  const archives = [archive, ...(full === undefined ? [] : [full.archive])];
  return archives.map((path) => `${printable(path)}\n`).join('');
}
