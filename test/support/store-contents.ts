import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** sha256 of the archives whose trees are in a store, sorted. */
export function storeTrees(home: string): Promise<string[]> {
  return namesIn(join(home, 'v1', 'trees'));
}

/** File names of the archives in a store, sorted. */
export function storeArchives(home: string): Promise<string[]> {
  return namesIn(join(home, 'v1', 'archives'));
}

/** What is left of unfinished work in a store. */
export function stagingLeftovers(home: string): Promise<string[]> {
  return namesIn(join(home, 'v1', 'tmp'));
}

/** Workspaces of a store as `device/release`, sorted. */
export async function storeWorkspaces(home: string): Promise<string[]> {
  const folder = join(home, 'v1', 'workspaces');
  const workspaces: string[] = [];
  for (const device of await namesIn(folder)) {
    for (const release of await namesIn(join(folder, device))) workspaces.push(`${device}/${release}`);
  }
  return workspaces;
}

/** Every entry below a folder with its kind, permission bits and content, one line each: for comparing trees. */
export async function folderListing(folder: string): Promise<string[]> {
  const lines: string[] = [];
  const walk = async (path: string) => {
    const found = await lstat(path);
    const name = relative(folder, path);
    const mode = (found.mode & 0o777).toString(8);
    if (found.isSymbolicLink()) lines.push(`${name} -> ${await readlink(path)}`);
    else if (found.isFile()) lines.push(`${name} ${mode} ${digest(await readFile(path))}`);
    else {
      lines.push(`${name}/ ${mode}`);
      for (const entry of await namesIn(path)) await walk(join(path, entry));
    }
  };
  await walk(folder);
  return lines;
}

function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
