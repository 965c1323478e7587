import { lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../../core/disk-error';
import { isErrno, NO_LINKS } from '../../core/errors';

/** Which names a disk takes for the same, and whether it keeps the modes that files are made with. */
export interface DiskTraits {
  foldsCase: boolean;
  /** Composed and decomposed forms of one character name one file. */
  foldsUnicode: boolean;
  /** False where symbolic links cannot be made, as on shares of virtual machines. */
  hasLinks: boolean;
  /** False where a umask or a default ACL changes the modes that files and folders of a tree are made with. */
  keepsModes: boolean;
}

/**
 * Finds out by trying, in a folder of its own below `folder` that is gone afterwards.
 *
 * @param folderMode the mode that folders are to have
 * @throws KhError STORE_FULL, STORE_DENIED, STORE_IO
 */
export function probeDisk(folder: string, folderMode: number): DiskTraits {
  try {
    const probe = join(folder, '.kh-probe');
    mkdirSync(probe);
    return probeIn(probe, folderMode);
  } catch (error) {
    throw diskError(error, folder);
  }
}

function probeIn(probe: string, folderMode: number): DiskTraits {
  try {
    writeFileSync(join(probe, 'case-\u00e9'), '', { mode: 0o644 });
    mkdirSync(join(probe, 'folder'), folderMode);
    return {
      foldsCase: exists(join(probe, 'CASE-\u00e9')),
      foldsUnicode: exists(join(probe, 'case-e\u0301')),
      hasLinks: canLink(join(probe, 'link')),
      keepsModes:
        modeOf(join(probe, 'case-\u00e9')) === 0o644 && modeOf(join(probe, 'folder')) === folderMode,
    };
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}

/** Without setgid, which a folder has from the one that it is made in. */
function modeOf(path: string): number {
  return lstatSync(path).mode & 0o5777;
}

function canLink(path: string): boolean {
  try {
    symlinkSync('target', path);
    return true;
  } catch (error) {
    if (isErrno(error, ...NO_LINKS)) return false;
    throw error;
  }
}

function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EILSEQ')) return false;
    throw error;
  }
}
