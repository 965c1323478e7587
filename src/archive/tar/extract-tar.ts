import type { ArchiveLimits } from '../../core/limits';
import { probeDisk, type DiskTraits } from './disk-traits';
import { memberPolicy, type Admitted } from './member-policy';
import { feedTar } from './feed-tar';
import { tarReader } from './tar-reader';
import { treeWriter } from './tree-writer';

/** What became of an archive on disk. */
export interface UnpackedTree {
  /** Members of the archive. */
  entries: number;
  files: number;
  /** The root counts. */
  directories: number;
  links: number;
  /** Bytes in all files. */
  bytes: number;
  /** Bytes of the tar stream. */
  tarBytes: number;
  /** Paths of links whose target is not in the tree. */
  danglingLinks: string[];
}

export interface ExtractOptions {
  /** An empty folder of our own; the archive's `./` is this folder. */
  treePath: string;
  limits: ArchiveLimits;
  signal: AbortSignal;
  /** Bytes that the work needs on disk, for the message when there is no room. */
  neededBytes?: number | undefined;
  /** Found out by a probe when left out. */
  disk?: DiskTraits | undefined;
  /** The mode of directories (default 0755). */
  folderMode?: number | undefined;
}

/**
 * Makes the tree of a tar stream: files with the modes that `memberPolicy` gives
 * them, links last. Owners and times are left as they come.
 *
 * @throws KhError ARCHIVE_*, STORE_FULL, STORE_DENIED, STORE_IO; what was made until then stays
 */
export async function extractTar(
  chunks: AsyncIterable<Buffer>,
  options: ExtractOptions,
): Promise<UnpackedTree> {
  const { treePath, signal, neededBytes, folderMode = 0o755 } = options;
  const disk = options.disk ?? probeDisk(treePath, folderMode);
  const policy = memberPolicy(options.limits, disk);
  const writer = treeWriter({ treePath, disk, folderMode, neededBytes });
  const tree: UnpackedTree = { ...NOTHING, danglingLinks: [] };
  const reader = tarReader({
    member: (member) => {
      const admitted = policy.admit(member);
      count(tree, admitted);
      writer.make(admitted);
    },
    content: writer.write,
    endMember: writer.endFile,
  });
  try {
    tree.tarBytes = await feedTar(chunks, reader, signal);
  } finally {
    writer.endFile();
  }
  tree.danglingLinks = policy.finish().danglingLinks;
  writer.finish();
  return tree;
}

const NOTHING = { entries: 0, files: 0, directories: 1, links: 0, bytes: 0, tarBytes: 0 };

function count(tree: UnpackedTree, member: Admitted): void {
  tree.entries += 1;
  tree.directories += member.newFolders.length;
  if (member.kind === 'symlink') tree.links += 1;
  if (member.kind !== 'file') return;
  tree.files += 1;
  tree.bytes += member.size;
}
