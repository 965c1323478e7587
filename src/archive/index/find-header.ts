import { followLink, type TreeMap } from '../tar/tree-links';
import type { HeadersIndex, IndexedFile } from './index-file';

/** What a word names among the files of an archive. */
export type FoundHeader =
  | {
      found: 'one';
      /** The member, before any link is followed. */
      path: string;
      file: IndexedFile;
      /** Others whose path ends in the same, which the compiler comes to later or never. */
      others: string[];
    }
  | { found: 'several'; candidates: string[] }
  | { found: 'folder'; path: string }
  | { found: 'none' };

/**
 * The file that is meant: by its path in the archive; or as `#include <…>`
 * names it, in the order in which the kernel's own build looks; or by the end
 * of its path, where only one ends so.
 */
export function findHeader(index: HeadersIndex, word: string): FoundHeader {
  const name = word.replace(/^<(.*)>$/, '$1').replace(/^(?:\.?\/)+/, '');
  const tree = treeOf(index);
  const files = new Map(
    index.members.flatMap((member) => (member.kind === 'file' ? [[member.path, member]] : [])),
  );
  const fileAt = (path: string) => {
    const place = placeOf(tree, path);
    return place === undefined ? undefined : files.get(place);
  };
  const endings = index.members
    .filter(({ kind, path }) => kind !== 'directory' && `/${path}`.endsWith(`/${name}`))
    .map(({ path }) => path);
  for (const path of [name, ...includeFolders(index).map((folder) => `${folder}/${name}`)]) {
    const file = fileAt(path);
    if (file !== undefined)
      return { found: 'one', path, file, others: endings.filter((other) => other !== path) };
  }
  if (tree.get(name)?.kind === 'directory') return { found: 'folder', path: name };
  const reached = endings.flatMap((path) => {
    const file = fileAt(path);
    return file === undefined ? [] : [{ path, file }];
  });
  const [only, ...more] = reached;
  if (only === undefined) return { found: 'none' };
  if (more.length > 0) return { found: 'several', candidates: reached.map(({ path }) => path) };
  return { found: 'one', ...only, others: [] };
}

/**
 * The folders that `#include <…>` is looked for in, in their order.
 *
 * @see LINUXINCLUDE and USERINCLUDE in the kernel's top Makefile
 */
export function includeFolders({ members }: Pick<HeadersIndex, 'members'>): string[] {
  const arch = members.flatMap(({ kind, path }) => {
    const name = /^arch\/[^/]+\/include$/.exec(path)?.[0];
    return kind === 'directory' && name !== undefined ? [name] : [];
  });
  return [
    ...arch.flatMap((folder) => [folder, `${folder}/generated`]),
    'include',
    ...arch.flatMap((folder) => [`${folder}/uapi`, `${folder}/generated/uapi`]),
    'include/uapi',
    'include/generated/uapi',
  ];
}

function treeOf({ members }: HeadersIndex): TreeMap {
  return new Map(
    members.map((member) => [
      member.path,
      member.kind === 'symlink' ? { kind: member.kind, target: member.target } : { kind: member.kind },
    ]),
  );
}

/** Where a path leads, through links on the way too. The archive was refused if any of its links left it. */
function placeOf(tree: TreeMap, path: string): string | undefined {
  if (path.split('/').includes('..')) return undefined;
  return followLink(tree, '', path);
}
