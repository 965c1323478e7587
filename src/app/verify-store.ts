import { inspectHeaders } from '../archive/headers-tree';
import { holdsKernelBuild, inspectKernelBuild } from '../archive/kernel-build';
import { unpackArchive } from '../archive/unpack-archive';
import { KhError } from '../core/errors';
import type { Emit } from '../core/events';
import { ARCHIVE_LIMITS } from '../core/limits';
import {
  archiveIdleTime,
  archivePath,
  findArchive,
  forgetArchive,
  replaceTree,
  storedDigests,
  treePath,
} from '../store/archives';
import type { Store } from '../store/layout';
import { createStage } from '../store/stage';
import { listWorkspaces, workspaceUses, type WorkspaceRecord } from '../store/workspaces';
import { checkArchive, digestsOf } from './check-archive';
import { mendingOf, PULL } from './mending';

/** What checking an archive and its tree again came to. */
export interface ArchiveCheck {
  sha256: string;
  /** The kernel that it is of; empty where nothing tells. */
  release: string;
  /** `repaired`: its tree was damaged, and has been extracted again. */
  status: 'sound' | 'damaged' | 'repaired';
  /** What is wrong, or was, in words. */
  problems: string[];
  /** What brings it back; absent where nothing has to be done. */
  mend?: string;
  /** The workspaces that it is for. */
  workspaces: string[];
}

export interface StoreCheck {
  archives: ArchiveCheck[];
  /** Workspaces whose record cannot be read. */
  workspaces: { workspace: string; problem: string; mend: string }[];
}

/** Whether nothing of a store is damaged. */
export function isSound({ archives, workspaces }: StoreCheck): boolean {
  return workspaces.length === 0 && archives.every(({ status }) => status !== 'damaged');
}

export interface VerifyOptions {
  /** Extracts damaged trees again; forgets archives that are damaged, for the next pull to bring. */
  repair: boolean;
  signal: AbortSignal;
  emit: Emit;
}

/**
 * Checks all of a store again, byte by byte: each archive against its digests,
 * each tree against its archive, each workspace's record.
 *
 * @throws KhError XZ_UNAVAILABLE, STORE_*; or the signal's reason
 */
export async function verifyStore(store: Store, options: VerifyOptions): Promise<StoreCheck> {
  const damaged: StoreCheck['workspaces'] = [];
  const readable = await listWorkspaces(store, ({ reason, hint = '', details }) => {
    const path = details?.['path'];
    damaged.push({ workspace: typeof path === 'string' ? path : '', problem: reason, mend: hint });
  });
  const uses = await workspaceUses(store);
  const digests = new Set([...(await storedDigests(store)), ...uses.flatMap((use) => use.archives)]);
  const archives: ArchiveCheck[] = [];
  for (const sha256 of [...digests].sort()) {
    const workspaces = uses.filter((use) => use.archives.includes(sha256)).map(({ path }) => path);
    const record = readable
      .map((workspace) => workspace.record)
      .find(({ archive, kernelBuild }) => [archive.sha256, kernelBuild?.sha256].includes(sha256));
    const check = await verifyArchive(store, { sha256, record }, options).catch((error: unknown) => {
      if (!(error instanceof KhError && error.code === 'STORE_NEWER')) throw error;
      options.emit({ type: 'warning', message: `not checked: ${error.reason}` });
      return undefined;
    });
    if (check === undefined) continue;
    const collectedMeanwhile =
      workspaces.length === 0 && (await archiveIdleTime(store, sha256)) === undefined;
    if (!collectedMeanwhile || check.mend !== undefined) archives.push({ ...check, workspaces });
  }
  for (const { sha256, status, mend = '' } of archives) {
    if (status !== 'damaged') continue;
    const message = `the archive ${sha256.slice(0, 16)} is damaged: \`${mend}\` mends it`;
    options.emit({ type: 'warning', message });
  }
  return { archives, workspaces: damaged };
}

async function verifyArchive(
  store: Store,
  { sha256, record }: { sha256: string; record: WorkspaceRecord | undefined },
  { repair, signal }: VerifyOptions,
): Promise<Omit<ArchiveCheck, 'workspaces'>> {
  const known = await findArchive(store, { sha256 });
  const { archive, tree } = await checkArchive(store, { sha256, md5: known?.md5 }, signal);
  const facts = known === undefined && archive.length === 0 ? ['what kh noted of it is missing'] : [];
  const problems = [...archive, ...facts, ...tree];
  const about = { sha256, release: known?.release ?? record?.kernel.release ?? '', problems };
  if (problems.length === 0) return { ...about, status: 'sound' };
  if (archive.length > 0) {
    const isBuild =
      record?.kernelBuild?.sha256 === sha256 || (await holdsKernelBuild(treePath(store, sha256)));
    if (repair) await forgetArchive(store, sha256);
    const mend = record === undefined ? PULL : mendingOf(record);
    // No pull brings build files.
    return { ...about, status: 'damaged', mend: isBuild && mend === PULL ? IMPORT : mend };
  }
  if (!repair) return { ...about, status: 'damaged', mend: REPAIR };
  await extractAgain(store, sha256, signal);
  return { ...about, status: 'repaired' };
}

const IMPORT = 'kh import --from-pack FOLDER';
const REPAIR = 'kh store verify --repair';

/** The tree, and what is noted of the archive, from the archive's own bytes. */
async function extractAgain(store: Store, sha256: string, signal: AbortSignal): Promise<void> {
  const path = archivePath(store, sha256);
  await using stage = await createStage(store);
  const digests = await digestsOf(path, signal);
  if (digests?.sha256 !== sha256) return;
  const unpacked = await unpackArchive(path, {
    treePath: stage.treePath,
    folderMode: store.modes.treeFolder,
    limits: ARCHIVE_LIMITS,
    signal,
  });
  const inspect = (await holdsKernelBuild(stage.treePath)) ? inspectKernelBuild : inspectHeaders;
  const { release } = await inspect(stage.treePath);
  const { entries, bytes: treeBytes, danglingLinks } = unpacked;
  await replaceTree(store, stage, { ...digests, release, entries, treeBytes, danglingLinks });
}
