import { createHash } from 'node:crypto';
import { receiveArchive, type ReceivedArchive } from '../archive/receive-archive';
import { chunksOf, type ByteSource } from '../core/byte-source';
import {
  addArchive,
  findArchive,
  treeIsSound,
  type ArchiveFacts,
  type StoredArchive,
} from '../store/archives';
import { withLock } from '../store/lock';
import { createStage, type Stage } from '../store/stage';
import type { Context } from './context';

/** What is asked of an archive before it may stay. */
export interface ImportRules<T> {
  /** Extract again, whatever is here already. */
  force: boolean;
  /** Whether what was unpacked from those bytes before is an archive of this kind. */
  isOfKind: (treePath: string) => Promise<boolean>;
  /** Judges what was unpacked as an archive of its kind. */
  inspect: (stage: Stage, received: ReceivedArchive) => Promise<ArchiveFacts>;
  /** Judges it as the one that is wanted. */
  judge: (facts: ArchiveFacts, treePath: string) => Promise<T>;
}

export interface ImportedArchive<T> {
  archive: StoredArchive;
  /** Whether it was in the store before. */
  known: boolean;
  /** What `judge` came to. */
  judged: T;
}

/**
 * Takes an archive on this machine into the store, unless it is there; imports
 * of one archive wait for each other.
 *
 * @throws KhError ARCHIVE_*, STORE_*; what the rules throw; or the signal's reason
 */
export async function importArchive<T>(
  bytes: ByteSource,
  { force, isOfKind, inspect, judge }: ImportRules<T>,
  context: Context,
): Promise<ImportedArchive<T>> {
  const { store, signal, limits } = context;
  const sha256 = await digestOf(bytes, context);
  const work = async (): Promise<ImportedArchive<T>> => {
    const known = force ? undefined : await findArchive(store, { sha256 });
    if (known !== undefined && (await treeIsSound(store, sha256)) && (await isOfKind(known.treePath)))
      return { archive: known, known: true, judged: await judge(known, known.treePath) };
    await using stage = await createStage(store);
    const { partPath, treePath } = stage;
    const folderMode = store.modes.treeFolder;
    const where = { partPath, treePath, folderMode, limits, signal, expectedBytes: bytes.size };
    const facts = await inspect(stage, await receiveArchive(chunksOf(bytes), where));
    const judged = await judge(facts, treePath);
    const archive = await addArchive(store, stage, facts, { anew: force });
    return { archive, known: known !== undefined, judged };
  };
  return withLock(store, `import-${sha256.slice(0, 32)}`, work, { signal });
}

async function digestOf(bytes: ByteSource, { limits, signal }: Context): Promise<string> {
  const sha256 = createHash('sha256');
  // What is longer is refused as it is received.
  for await (const chunk of chunksOf(bytes, 0, Math.min(bytes.size, limits.archiveBytes))) {
    signal.throwIfAborted();
    sha256.update(chunk);
  }
  return sha256.digest('hex');
}
