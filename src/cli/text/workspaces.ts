import type { selectWorkspaces } from '../../app/workspaces';
import type { WorkspaceCheck } from '../../app/verify-workspaces';
import { humanBytes } from '../../core/human';
import { printable } from '../../core/printable';
import type { Palette } from '../../ui/colour';
import { verdictText } from '../../ui/event-text';
import { renderFacts, renderTable } from '../../ui/table';
import type { ReportCase } from '../run-report';

type Workspace = Awaited<ReturnType<typeof selectWorkspaces>>[number];

/** The table of `kh workspace list`. */
export function workspacesTable(workspaces: Workspace[], colours: Palette): string {
  const { green, yellow } = colours;
  return renderTable(
    workspaces,
    [
      { title: 'DEVICE', cell: ({ record }) => record.device.name },
      { title: 'MODEL', cell: ({ record }) => record.device.model },
      { title: 'KERNEL', cell: ({ record }) => record.kernel.release },
      { title: 'ARCHIVE', cell: ({ record }) => humanBytes(record.archive.bytes) },
      {
        title: 'TRUST',
        cell: ({ record }) => record.verdict.trust,
        paint: ({ record }) => (record.verdict.trust === 'trusted' ? green : yellow),
      },
      { title: 'CHECKED', cell: ({ record }) => minuteOf(record.checkedAt) },
    ],
    colours,
  );
}

/** What `kh workspace show` prints. */
export function workspaceFacts({ path, headersPath, record }: Workspace, colours: Palette): string {
  const { device, kernel, headers, archive, kernelBuild, verdict } = record;
  return renderFacts(
    [
      ['workspace', path],
      ['headers', headersPath],
      ['device', [device.name, device.model].filter((part) => part !== undefined).join(', ')],
      ['serials', device.serials.join(', ') || undefined],
      ['android', device.androidVersion],
      ['kernel', kernel.release],
      ['version', kernel.version || undefined],
      ['machine', `${kernel.machine} (arch/${kernel.arch})`],
      ['came from', `${headers.path} (${headers.origin})`],
      ['archive', `${humanBytes(archive.bytes)} (${archive.bytes} bytes)`],
      ['md5', archive.md5],
      ['sha256', archive.sha256],
      ['build files', kernelBuild && `${humanBytes(kernelBuild.bytes)} (sha256 ${kernelBuild.sha256})`],
      ['verdict', verdictText(verdict)],
      ['checks', verdict.checks.join(', ')],
      ['dangling links', record.danglingLinks > 0 ? String(record.danglingLinks) : undefined],
      ['pulled', record.pulledAt],
      ['checked', record.checkedAt],
    ],
    colours,
  );
}

/** The table of `kh workspace verify`, and below it what is wrong. */
export function checksText(checks: WorkspaceCheck[], colours: Palette): string {
  const { green, red } = colours;
  const table = renderTable(
    checks,
    [
      { title: 'DEVICE', cell: ({ device }) => device },
      { title: 'KERNEL', cell: ({ release }) => release },
      {
        title: 'STATUS',
        cell: ({ status }) => status,
        paint: ({ status }) => (status === 'sound' ? green : red),
      },
    ],
    colours,
  );
  const problems = checks
    .filter((check) => check.problems.length > 0)
    .map((check) => `\n${printable(check.workspace)}\n${check.problems.map(problemLine).join('')}`);
  return table + problems.join('');
}

/** A check for `--report`. */
export function checkCase({ device, release, problems, mend = '', ...facts }: WorkspaceCheck): ReportCase {
  const one = { name: `${device} ${release}`, facts: { release, ...facts } };
  if (problems.length === 0) return one;
  const error = {
    code: 'STORE_DAMAGED' as const,
    message: problems.join('\n'),
    hint: `\`${mend}\` makes it anew.`,
  };
  return { ...one, error };
}

/** One path a line. */
export function pathLines(workspaces: Workspace[]): string {
  return workspaces.map(({ path }) => `${path}\n`).join('');
}

function problemLine(problem: string): string {
  return `  ${printable(problem)}\n`;
}

/** "2026-11-21 13:40", in UTC as the record has it. */
function minuteOf(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}
