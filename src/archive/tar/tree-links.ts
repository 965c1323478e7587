import { KhError } from '../../core/errors';

/** What an archive says is at each path; '' is the root. */
export type TreeMap = Map<string, { kind: 'file' | 'directory' } | { kind: 'symlink'; target: string }>;

/** As many links in a row as Linux follows (MAXSYMLINKS). */
const LONGEST_CHAIN = 40;

/**
 * Follows every link of the tree as a kernel would, through other links too,
 * by the map alone: nothing on disk is touched.
 *
 * @returns the links that lead nowhere, or round in circles
 * @throws KhError ARCHIVE_UNSAFE for a link that leaves the tree
 */
export function resolveLinks(tree: TreeMap): string[] {
  const dangling: string[] = [];
  for (const [path, node] of tree) {
    if (node.kind === 'symlink' && followLink(tree, path, node.target) === undefined) dangling.push(path);
  }
  return dangling;
}

/**
 * Where a link at `path` leads, through other links too; undefined where that
 * is nowhere, or round in circles.
 *
 * @throws KhError ARCHIVE_UNSAFE for a link that leaves the tree
 */
export function followLink(tree: TreeMap, path: string, target: string): string | undefined {
  const at = path.split('/').slice(0, -1);
  const ahead = target.split('/').reverse();
  let followed = 0;
  let exists = true;
  for (let part = ahead.pop(); part !== undefined; part = ahead.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at.length === 0) throw escape(path, target);
      at.pop();
      continue;
    }
    at.push(part);
    const node = tree.get(at.join('/'));
    if (node === undefined) exists = false;
    if (node?.kind === 'file' && ahead.some((rest) => rest !== '')) exists = false;
    if (node?.kind !== 'symlink') continue;
    followed += 1;
    if (followed > LONGEST_CHAIN) return undefined;
    at.pop();
    ahead.push(...node.target.split('/').reverse());
  }
  return exists ? at.join('/') : undefined;
}

function escape(path: string, target: string): KhError {
  return new KhError('ARCHIVE_UNSAFE', {
    message: `refused: the link "${path}" to "${target}" leaves the tree`,
    hint: 'No kernel build makes such an archive. Nothing of it was kept.',
    details: { member: path, target },
  });
}
