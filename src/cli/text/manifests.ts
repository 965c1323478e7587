import type { DeviceCheck } from '../../app/check-device';
import type { addToManifest, ManifestCheck, RevokedArchives } from '../../app/manifests';
import type { InspectedManifest } from '../../app/open-manifest';
import type { NewKeys } from '../../app/manifest-keys';
import type { SignedManifest } from '../../app/sign-manifest';
import type { DeviceOutcome } from '../../core/outcome';
import { printable } from '../../core/printable';
import type { Palette } from '../../ui/colour';
import { renderFacts, renderTable } from '../../ui/table';

type Manifest = InspectedManifest['manifest'];
type Signatures = InspectedManifest['signatures'];
type LabEntry = Awaited<ReturnType<typeof addToManifest>>['added'][number];

/** What `kh manifest show` prints: the entries, what was revoked, and the signatures. */
export function shownText({ manifest, signatures }: InspectedManifest, colours: Palette): string {
  const revoked = manifest.form === 'lab' ? revokedTable(manifest.revoked, colours) : '';
  const parts = [manifestText(manifest, colours), revoked, signaturesTable(signatures, colours)];
  return parts.filter((part) => part !== '').join('\n');
}

/** The entries, in the form's own terms. */
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
  const expire = entries.some(({ expires }) => expires !== undefined);
  return renderTable(
    entries,
    [
      { title: 'KERNEL', cell: ({ release }) => release },
      { title: 'VERSION', cell: ({ version }) => version },
      { title: 'SHA256', cell: ({ sha256 }) => sha256 },
      { title: 'ADDED', cell: ({ added }) => added.slice(0, 10) },
      ...(expire ? [{ title: 'EXPIRES', cell: ({ expires }: LabEntry) => expires?.slice(0, 10) }] : []),
      ...(hasNotes ? [{ title: 'NOTE', cell: ({ note }: LabEntry) => note }] : []),
    ],
    colours,
  );
}

/** Revoked archives, one a line. */
export function revokedTable(revoked: RevokedArchives['revoked'], colours: Palette): string {
  return renderTable(
    revoked,
    [
      { title: 'REVOKED', cell: ({ at }) => at.slice(0, 10) },
      { title: 'KERNEL', cell: ({ release }) => release },
      { title: 'SHA256', cell: ({ sha256 }) => sha256 },
      { title: 'REASON', cell: ({ reason }) => reason },
    ],
    colours,
  );
}

/** Signatures, one a line. */
function signaturesTable(signatures: Signatures, colours: Palette): string {
  const { green, yellow, red } = colours;
  const paints = { valid: green, 'unknown-key': yellow, stale: red, wrong: red, expired: red, future: red };
  return renderTable(
    signatures,
    [
      { title: 'SIGNED BY', cell: ({ key }) => key.slice(0, 16) },
      { title: 'SIGNED', cell: ({ signedAt }) => signedAt.slice(0, 10) },
      { title: 'UNTIL', cell: ({ expires }) => expires?.slice(0, 10) },
      { title: 'STATE', cell: ({ state }) => state, paint: ({ state }) => paints[state] },
    ],
    colours,
  );
}

/** What `kh manifest sign` and `verify` print. */
export function signedText({ signaturePath, signatures }: SignedManifest, colours: Palette): string {
  return `${signaturesTable(signatures, colours)}\n${printable(signaturePath)}\n`;
}

/** What `kh manifest keygen` prints. */
export function newKeysText({ key, privatePath, publicPath, encrypted }: NewKeys, colours: Palette): string {
  return renderFacts(
    [
      ['key', key],
      ['private', `${privatePath}${encrypted ? ' (encrypted)' : ''}`],
      ['public', publicPath],
    ],
    colours,
  );
}

/** What `kh manifest check-devices` prints: a line for each device that did not fail. */
export function deviceChecksText(outcomes: DeviceOutcome<DeviceCheck>[], colours: Palette): string {
  return renderTable(
    outcomes.flatMap((outcome) => (outcome.status === 'ok' ? [outcome] : [])),
    [
      { title: 'DEVICE', cell: ({ name }) => name },
      { title: 'KERNEL', cell: ({ result }) => result.release },
      { title: 'STATUS', cell: ({ result }) => result.status },
    ],
    colours,
  );
}

/** What `kh manifest check` prints: a line for each workspace, and below what differs. */
export function manifestChecksText(checks: ManifestCheck[], colours: Palette): string {
  const { green, yellow, red } = colours;
  const paints = { trusted: green, unlisted: yellow, expired: yellow, mismatch: red, revoked: red };
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
