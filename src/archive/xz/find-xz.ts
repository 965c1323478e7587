import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';

/** The little systems in one binary: their xz takes no memory limit. */
const OTHERS = ['busybox', 'toybox'];

/** @returns the path of the first `xz` on the PATH that is of XZ Utils, as far as its name tells. */
export function findXz(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, 'xz')).find(isXz);
}

function isXz(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() && !OTHERS.includes(basename(realpathSync(path)));
  } catch {
    return false; // Not there, or not ours to run.
  }
}
