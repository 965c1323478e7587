import type { Garbage } from '../../app/store-gc';
import { humanBytes } from '../../core/human';
import type { Palette } from '../../ui/colour';
import { renderTable } from '../../ui/table';

/** What `kh store gc` prints: a row for each archive, or that there is nothing to give back. */
export function garbageText({ archives, removed }: Garbage, colours: Palette): string {
  if (archives.length === 0) return 'nothing to give back; what was used within the last hour stays\n';
  return renderTable(
    archives,
    [
      { title: removed ? 'REMOVED' : 'WOULD REMOVE', cell: ({ sha256 }) => sha256.slice(0, 16) },
      { title: 'KERNEL', cell: ({ release }) => release || 'unknown' },
      { title: 'ARCHIVE', cell: ({ bytes }) => humanBytes(bytes) },
      { title: 'FILES', cell: ({ treeBytes }) => humanBytes(treeBytes) },
    ],
    colours,
  );
}
