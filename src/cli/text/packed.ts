import type { PackedHeaders } from '../../app/pack-headers';
import { printable } from '../../core/printable';

/** What `kh pack` prints: the path of each archive, one a line. */
export function packedText({ archive }: PackedHeaders): string {
  return `${printable(archive)}\n`;
}
