import type { ArchiveCheck, StoreCheck } from '../../app/verify-store';
import { printable } from '../../core/printable';
import type { Palette } from '../../ui/colour';
import { renderTable } from '../../ui/table';
import type { ReportCase } from '../run-report';

/** What `kh store verify` prints: a row for each archive, and below it what is wrong. */
export function storeCheckText({ archives, workspaces }: StoreCheck, colours: Palette): string {
  if (archives.length + workspaces.length === 0) return 'the store is empty\n';
  const paints = { sound: colours.green, repaired: colours.yellow, damaged: colours.red };
  const table = renderTable(
    archives,
    [
      { title: 'ARCHIVE', cell: ({ sha256 }) => sha256.slice(0, 16) },
      { title: 'KERNEL', cell: ({ release }) => release || 'unknown' },
      { title: 'STATUS', cell: ({ status }) => status, paint: ({ status }) => paints[status] },
    ],
    colours,
  );
  const wrong = [
    ...archives.map((check) => section(check.sha256, check.problems, check.mend)),
    ...workspaces.map(({ workspace, problem, mend }) => section(workspace, [problem], mend)),
  ];
  return table + wrong.join('');
}

/** The same for `--report`: a case for each archive and for each workspace that is damaged. */
export function storeCases({ archives, workspaces }: StoreCheck): ReportCase[] {
  return [
    ...archives.map(archiveCase),
    ...workspaces.map(({ workspace, problem, mend }) => ({
      name: workspace,
      error: { code: 'STORE_DAMAGED' as const, message: problem, hint: mend },
    })),
  ];
}

function archiveCase({ sha256, release, status, problems, mend }: ArchiveCheck): ReportCase {
  const one = { name: sha256, facts: { release, status } };
  if (status !== 'damaged') return one;
  const hint = mend === undefined ? {} : { hint: mend };
  return { ...one, error: { code: 'STORE_DAMAGED', message: problems.join('\n'), ...hint } };
}

function section(name: string, problems: string[], mend: string | undefined): string {
  if (problems.length === 0) return '';
  const lines = [...problems, ...(mend === undefined ? [] : [`to mend it: ${mend}`])];
  return `\n${printable(name)}\n${lines.map((line) => `  ${printable(line)}\n`).join('')}`;
}
