import type { addToManifest, ManifestCheck } from '../../app/manifests';
import type { requireManifest } from '../../app/open-manifest';
import { printable } from '../../core/printable';
import type { Palette } from '../../ui/colour';
import { renderFacts, renderTable } from '../../ui/table';

type Manifest = Awaited<ReturnType<typeof requireManifest>>;
type LabEntry = Awaited<ReturnType<typeof addToManifest>>['added'][number];

/** What `kh manifest show` prints: the entries, in the form's own terms. */
export function manifestText(manifest: Manifest, colours: Palette): string {
  switch (manifest.form) {
    case 'lab':
      return entriesTable(manifest.kernels, colours);
    case 'checksum-list':
      return renderTable(
        manifest.entries,
        [
          { title: 'NAME', cell: ({ name }) => name },
          { title: 'KIND', cell: ({ kind }) => kind },
          { title: 'DIGEST', cell: ({ digest }) => digest },
        ],
        colours,
      );
    case 'kheaders.md5':
      return renderFacts(
        [
          ['form', "the kernel build's kheaders.md5"],
          ['md5', manifest.md5],
        ],
        colours,
      );
  }
}

/** Entries of the lab's manifest, one a line. */
export function entriesTable(entries: LabEntry[], colours: Palette): string {
  const hasNotes = entries.some(({ note }) => note !== undefined);
  return renderTable(
    entries,
    [
      { title: 'KERNEL', cell: ({ release }) => release },
      { title: 'VERSION', cell: ({ version }) => version },
      { title: 'SHA256', cell: ({ sha256 }) => sha256 },
      { title: 'ADDED', cell: ({ added }) => added.slice(0, 10) },
      ...(hasNotes ? [{ title: 'NOTE', cell: ({ note }: LabEntry) => note }] : []),
    ],
    colours,
  );
}

/** What `kh manifest check` prints: a line for each workspace, and below what differs. */
export function manifestChecksText(checks: ManifestCheck[], colours: Palette): string {
  const { green, yellow, red } = colours;
  const paints = { trusted: green, unlisted: yellow, mismatch: red };
  const table = renderTable(
    checks,
    [
      { title: 'DEVICE', cell: ({ device }) => device },
      { title: 'KERNEL', cell: ({ release }) => release },
      { title: 'STATUS', cell: ({ status }) => status, paint: ({ status }) => paints[status] },
    ],
    colours,
  );
  const problems = checks.flatMap(({ workspace, problem }) =>
    problem === undefined ? [] : `\n${printable(workspace)}\n  ${printable(problem)}\n`,
  );
  return table + problems.join('');
}
