import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../core/errors';
import { generatedFolders } from './built-files';
import { watchedFolders } from './merged-tree';

/**
 * What of a source its preparation depends on, as a digest: the names, sizes
 * and times of the files at its top and in the folders that are looked into.
 * Edits in drivers/ or fs/ do not change it.
 */
export function treeState(tree: string, srcArch: string): string {
  const digest = createHash('sha256');
  const skipped = new Set([...generatedFolders(srcArch), 'include/config']);
  const visit = (at: string, deep: boolean): void => {
    for (const entry of entriesOf(join(tree, at))) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) {
        if (deep && !skipped.has(path)) visit(path, true);
      } else if (!entry.name.startsWith('.')) {
        const { size, mtimeMs } = statOf(join(tree, path));
        digest.update(`${path}\0${size}\0${mtimeMs}\n`);
      }
    }
  };
  visit('', false);
  for (const folder of watchedFolders(srcArch)) visit(folder, true);
  return digest.digest('hex');
}

function entriesOf(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** A link that leads nowhere counts as an empty file. */
function statOf(path: string): { size: number; mtimeMs: number } {
  return statSync(path, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 };
}
