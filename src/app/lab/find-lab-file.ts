import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { isErrno, KhError } from '../../core/errors';
import { parseLabFile, type LabSettings } from './lab-file';

/** The name under which a lab file is looked for. */
const LAB_FILE = 'kh.lab.json';

/** In place of a lab file: none, whatever would be found. */
const NO_LAB = 'none';

export interface LabSearch {
  /** The file that --lab or KH_LAB names, or `none`. */
  given?: string | undefined;
  /** Where to begin. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** The user's folder for the configuration of kh. */
  configFolder: string;
}

/**
 * The lab file that is named, or else the nearest `kh.lab.json`: in the
 * working folder, then upward as far as the user's home or the root; or else
 * `lab.json` in the user's configuration folder.
 *
 * One that somebody else put where everybody may write, as in /tmp, is passed
 * over: it would tell kh which adb server to trust.
 *
 * @returns undefined where there is none
 * @throws KhError USAGE for a file that is named and can't be read, and for one that is not valid
 */
export async function findLabFile(search: LabSearch): Promise<LabSettings | undefined> {
  const { given, cwd } = search;
  if (given === NO_LAB) return undefined;
  if (given !== undefined && given !== '') {
    const path = resolve(cwd, given);
    const text = await readIfThere(path);
    if (text !== undefined) return parseLabFile(text, path);
    throw new KhError('USAGE', {
      message: `there is no lab file ${path}`,
      hint: '--lab and KH_LAB name a file, or `none` for going without one.',
    });
  }
  for (const path of places(search)) {
    const text = await readIfThere(path);
    if (text !== undefined && (await isTrusted(path))) return parseLabFile(text, path);
  }
  return undefined;
}

function places({ cwd, env, configFolder }: LabSearch): string[] {
  const home = resolve(env['HOME'] === undefined || env['HOME'] === '' ? homedir() : env['HOME']);
  const found = [join(configFolder, 'lab.json')];
  const upward: string[] = [];
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    upward.push(join(folder, LAB_FILE));
    if (folder === home || folder === dirname(folder)) return [...upward, ...found];
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new KhError('USAGE', { message: `the lab file can't be read: ${reason}`, cause: error });
  }
}

async function isTrusted(path: string): Promise<boolean> {
  const me = process.getuid?.();
  if (me === undefined) return true;
  const [{ uid }, { mode }] = await Promise.all([stat(path), stat(dirname(path))]);
  return uid === me || uid === 0 || (mode & 0o002) === 0;
}
