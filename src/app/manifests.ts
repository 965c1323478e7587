import { resolve } from 'node:path';
import {
  addEntry,
  checkAgainst,
  emptyLabManifest,
  formatManifest,
  lookUp,
  type LabEntry,
  type LabManifest,
  type Manifest,
} from '../archive/manifest';
import { KhError } from '../core/errors';
import { replaceFile } from '../core/replace-file';
import { shortHash } from '../store/disk-name';
import type { Store } from '../store/layout';
import { withLock } from '../store/lock';
import type { Workspace } from '../store/workspaces';
import { readManifest } from './open-manifest';

/** The manifest that was written to, and the entries as they are in it now. */
export interface AddedEntries {
  path: string;
  added: LabEntry[];
}

/**
 * Adds workspaces that someone trusts to the lab's manifest, which is made
 * where there is none. An entry for the same build of a kernel is replaced.
 *
 * @throws KhError MANIFEST_UNUSABLE where the file is no lab manifest; STORE_* where it can't be written
 */
export async function addToManifest(
  store: Store,
  file: string,
  workspaces: Workspace[],
  { note }: { note?: string } = {},
): Promise<AddedEntries> {
  const path = resolve(file);
  const added = workspaces.map((workspace) => entryOf(workspace, note));
  await withLock(store, `manifest-${shortHash(path)}`, async () => {
    const before = await labManifest(path);
    replaceFile(path, formatManifest(added.reduce(addEntry, before)));
  });
  return { path, added };
}

function entryOf({ record: { kernel, archive } }: Workspace, note: string | undefined): LabEntry {
  return {
    release: kernel.release,
    ...(kernel.version === '' ? {} : { version: kernel.version }),
    ...archive,
    added: new Date().toISOString(),
    ...(note === undefined ? {} : { note }),
  };
}

async function labManifest(path: string): Promise<LabManifest> {
  const manifest = await readManifest(path);
  if (manifest === undefined) return emptyLabManifest(path);
  if (manifest.form === 'lab') return manifest;
  throw new KhError('MANIFEST_UNUSABLE', {
    message: `${path} is of the form ${manifest.form}: entries are added to the lab's JSON form only`,
    hint: 'Name another file: it is made where there is none.',
  });
}

/** What a manifest says of one workspace. */
export interface ManifestCheck {
  workspace: string;
  device: string;
  release: string;
  status: 'trusted' | 'unlisted' | 'mismatch';
  /** What differs, in words. */
  problem?: string;
}

/** Checks workspaces on disk against a manifest. */
export function checkWorkspaces(manifest: Manifest, workspaces: Workspace[]): ManifestCheck[] {
  return workspaces.map(({ path, record: { device, kernel, archive } }) => {
    const check = { workspace: path, device: device.name, release: kernel.release };
    const expected = lookUp(manifest, kernel);
    if (expected === undefined) return { ...check, status: 'unlisted' };
    try {
      checkAgainst(expected, archive, manifest.path);
      return { ...check, status: 'trusted' };
    } catch (error) {
      if (!(error instanceof KhError && error.code === 'VERIFY_MANIFEST')) throw error;
      return { ...check, status: 'mismatch', problem: error.reason };
    }
  });
}
