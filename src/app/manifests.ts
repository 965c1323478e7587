import { resolve } from 'node:path';
import {
  addEntry,
  emptyLabManifest,
  formatManifest,
  LARGEST_SIGNATURE_FILE,
  parseManifest,
  revokeArchive,
  signaturePath,
  type Digests,
  type LabEntry,
  type LabManifest,
  type RevokedArchive,
} from '../archive/manifest';
import { KhError, type ErrorCode } from '../core/errors';
import { behindLinks, replaceFile } from '../core/replace-file';
import type { Work } from '../core/work';
import { archivePath, listArchives } from '../store/archives';
import { shortHash } from '../store/disk-name';
import type { Store } from '../store/layout';
import { withLock } from '../store/lock';
import type { Workspace } from '../store/workspaces';
import { checkManifest, missing, readIfThere, readManifest, type Manifest } from './open-manifest';
import type { TrustedArchive } from './trusted-archive';

/** The manifest that was written to, and the entries as they are in it now. */
export interface AddedEntries {
  path: string;
  added: LabEntry[];
}

type EditContext = Pick<Work, 'emit'> & { store: Store };

/**
 * Adds archives that someone trusts to the lab's manifest, which is made
 * where there is none. An entry for the same build of a kernel is replaced.
 *
 * @param options.expires ISO time until which the entries count
 * @throws KhError MANIFEST_UNUSABLE where the file is no lab manifest; VERIFY_REVOKED where it revoked such an
 *   archive; STORE_* where it can't be written
 */
export async function addToManifest(
  context: EditContext,
  file: string,
  archives: TrustedArchive[],
  options: { note?: string; expires?: string } = {},
): Promise<AddedEntries> {
  const path = resolve(file);
  const time = new Date().toISOString();
  const added = archives.map((archive) => ({ ...archive, added: time, ...options }));
  await edit(context, path, (before) =>
    added.reduce((manifest, entry) => addEntry(manifest, entry), before ?? emptyLabManifest(path)),
  );
  return { path, added };
}

/** The manifest that was written to, and the archives that it refuses now. */
export interface RevokedArchives {
  path: string;
  revoked: RevokedArchive[];
}

/** What to revoke: the archives of the entries for a release, and archives by their sha256. */
export interface Revocation {
  releases: readonly string[];
  sha256: readonly string[];
  reason: string;
}

/**
 * Revokes archives: from now on they are refused, whatever kernel they claim to be for.
 *
 * @throws KhError USAGE where the manifest has no entry for a release, or there is no such file; MANIFEST_UNUSABLE;
 *   STORE_* where it can't be written
 */
export async function revokeInManifest(
  context: EditContext,
  file: string,
  what: Revocation,
): Promise<RevokedArchives> {
  const path = resolve(file);
  const at = new Date().toISOString();
  const after = await edit(context, path, (before) => {
    const manifest = before ?? missing(path);
    return chosen(manifest, what).reduce(
      (to, one) => revokeArchive(to, { ...one, at, reason: what.reason }),
      manifest,
    );
  });
  return { path, revoked: after.revoked.filter((one) => one.at === at) };
}

function chosen(
  manifest: LabManifest,
  { releases, sha256 }: Revocation,
): Omit<RevokedArchive, 'at' | 'reason'>[] {
  for (const release of releases) {
    if (manifest.kernels.some((entry) => entry.release === release)) continue;
    throw new KhError('USAGE', {
      message: `${manifest.path} has no entry for kernel ${release}`,
      hint: 'An archive that is not listed is revoked by its digest: --sha256.',
    });
  }
  const listed = manifest.kernels.filter(
    (entry) => releases.includes(entry.release) || sha256.includes(entry.sha256),
  );
  const others = sha256.filter((digest) => !listed.some((entry) => entry.sha256 === digest));
  return [
    ...listed.map(({ release, version, md5, sha256: digest }) => ({
      sha256: digest,
      md5,
      release,
      ...(version === undefined ? {} : { version }),
    })),
    ...others.map((digest) => ({ sha256: digest })),
  ];
}

/** Replaces a lab manifest by what `change` makes of it, while no one else does. */
async function edit(
  { store, emit }: EditContext,
  path: string,
  change: (before: LabManifest | undefined) => LabManifest,
): Promise<LabManifest> {
  return withManifestLock(store, path, async () => {
    const after = change(await labManifest(path));
    const text = readableText(after);
    const wasSigned = (await readIfThere(signaturePath(path), LARGEST_SIGNATURE_FILE)) !== undefined;
    replaceFile(path, text);
    if (wasSigned) {
      const message = `the signatures of ${path} are of what it was before: sign it again (kh manifest sign)`;
      emit({ type: 'warning', message });
    }
    return after;
  });
}

/** Nothing is written that no kh would read again: a release that no kernel has, more than a manifest may hold. */
function readableText(manifest: LabManifest): string {
  const text = formatManifest(manifest);
  try {
    parseManifest(text, manifest.path);
    return text;
  } catch (error) {
    if (!(error instanceof KhError)) throw error;
    throw new KhError('MANIFEST_UNUSABLE', {
      message: `${manifest.path} is left as it was; after this change, ${error.reason}`,
      details: { path: manifest.path },
      cause: error,
    });
  }
}

/** Runs `work` while no other kh that uses this store changes the manifest, or its signatures, by whatever path. */
export function withManifestLock<T>(store: Store, path: string, work: () => Promise<T>): Promise<T> {
  return withLock(store, `manifest-${shortHash(behindLinks(path))}`, work);
}

async function labManifest(path: string): Promise<LabManifest | undefined> {
  const manifest = await readManifest(path);
  if (manifest === undefined || manifest.form === 'lab') return manifest;
  throw new KhError('MANIFEST_UNUSABLE', {
    message: `${path} is of the form ${manifest.form}: only the lab's JSON form can be changed`,
    hint: 'Name another file: `kh manifest add` makes it where there is none.',
  });
}

/** What a manifest says of one workspace, or of an archive in the store that no workspace uses. */
export interface ManifestCheck {
  /** The path of the workspace, or of the archive. */
  workspace: string;
  /** Undefined of an archive that no workspace uses. */
  device?: string;
  release: string;
  status: 'trusted' | 'unlisted' | 'expired' | 'mismatch' | 'revoked';
  /** What is wrong, in words. */
  problem?: string;
}

/** Checks workspaces on disk against a manifest. */
export function checkWorkspaces(
  manifest: Manifest,
  workspaces: Workspace[],
  now = new Date(),
): ManifestCheck[] {
  return workspaces.map(({ path, record: { device, kernel, archive } }) => ({
    workspace: path,
    device: device.name,
    release: kernel.release,
    ...statusOf(manifest, kernel, archive, now),
  }));
}

/**
 * The archives of the store that no workspace uses, and that the manifest
 * revoked: the next device with that kernel would be given them.
 *
 * @throws KhError STORE_*
 */
export async function checkUnusedArchives(
  store: Store,
  manifest: Manifest,
  workspaces: Workspace[],
): Promise<ManifestCheck[]> {
  const used = new Set(workspaces.map(({ record }) => record.archive.sha256));
  const unused = (await listArchives(store)).filter(({ sha256 }) => !used.has(sha256));
  return unused
    .map((archive) => ({
      workspace: archivePath(store, archive.sha256),
      release: archive.release,
      ...statusOf(manifest, archive, archive, new Date()),
    }))
    .filter(({ status }) => status === 'revoked');
}

const STATUSES: Partial<Record<ErrorCode, ManifestCheck['status']>> = {
  VERIFY_MANIFEST: 'mismatch',
  VERIFY_REVOKED: 'revoked',
  VERIFY_EXPIRED: 'expired',
  VERIFY_UNLISTED: 'unlisted',
};

/** As a pull that requires a manifest would judge. */
function statusOf(
  manifest: Manifest,
  kernel: { release: string; version?: string },
  digests: Digests,
  now: Date,
): Pick<ManifestCheck, 'status' | 'problem'> {
  try {
    checkManifest({ manifest, requireManifest: true }, kernel, digests, { warn: () => undefined, now });
    return { status: 'trusted' };
  } catch (error) {
    const status = error instanceof KhError ? STATUSES[error.code] : undefined;
    if (!(error instanceof KhError) || status === undefined) throw error;
    return status === 'unlisted' ? { status } : { status, problem: error.reason };
  }
}
