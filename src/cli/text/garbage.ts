import { basename } from 'node:path';
import type { Garbage } from '../../app/store-gc';
import { humanBytes } from '../../core/human';
import type { Palette } from '../../ui/colour';
import { renderTable } from '../../ui/table';

/** What `kh store gc` prints: a row for each workspace, archive and index, or that there is nothing to give back. */
export function garbageText(
  { archives, workspaces, indexes, freedBytes, removed }: Garbage,
  colours: Palette,
): string {
  if (archives.length + workspaces.length + indexes.length === 0) {
    return 'nothing to give back; what was used within the last hour stays\n';
  }
  const rows = [
    ...workspaces.map(({ workspace, lastUsed }) => ({ what: workspace, kernel: undefined, lastUsed })),
    ...archives.map(({ sha256, release, lastUsed }) => ({
      what: `archive ${sha256.slice(0, 16)}`,
      kernel: release || 'unknown',
      lastUsed,
    })),
    ...indexes.map(({ path, lastUsed }) => ({
      what: `index ${basename(path).slice(0, 16)}`,
      kernel: undefined,
      lastUsed,
    })),
  ];
  const table = renderTable(
    rows,
    [
      { title: removed ? 'REMOVED' : 'WOULD REMOVE', cell: ({ what }) => what },
      { title: 'KERNEL', cell: ({ kernel }) => kernel },
      { title: 'LAST USED', cell: ({ lastUsed }) => lastUsed.slice(0, 10) },
    ],
    colours,
  );
  return `${table}${removed ? 'gave back' : 'would give back'} ${humanBytes(freedBytes)}\n`;
}
