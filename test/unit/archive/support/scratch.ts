import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ARCHIVE_LIMITS } from '../../../../src/core/limits';

/** A folder with a `tree` to unpack into; all of it goes away again. */
export interface Scratch extends Disposable {
  root: string;
  tree: string;
  path: (name: string) => string;
}

export function scratch(): Scratch {
  const root = mkdtempSync(join(tmpdir(), 'kh-archive-'));
  const tree = join(root, 'stage', 'tree');
  mkdirSync(tree, { recursive: true, mode: 0o700 });
  return {
    root,
    tree,
    path: (name) => join(root, name),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Everything below a folder: `path → kind, mode, and content or target`. */
export function listing(root: string, below = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(join(root, below)).sort()) {
    const path = join(below, name);
    const stats = lstatSync(join(root, path));
    const mode = (stats.mode & 0o7777).toString(8);
    if (stats.isDirectory()) {
      found.set(path, `directory ${mode}`);
      for (const [inner, what] of listing(root, path)) found.set(inner, what);
    } else if (stats.isSymbolicLink()) found.set(path, `link ${readlinkSync(join(root, path))}`);
    else found.set(path, `file ${mode} ${readFileSync(join(root, path)).toString('base64')}`);
  }
  return found;
}

/** The bytes as a source would bring them, in runs of `size`. */
export async function* inChunks(bytes: Buffer, size = 64 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) {
    await new Promise(setImmediate);
    yield bytes.subarray(at, at + size);
  }
}

export const limits = ARCHIVE_LIMITS;

export const never = new AbortController().signal;

/** The error that `work` rejects with; fails the test when it does not. */
export async function rejection(work: Promise<unknown>): Promise<unknown> {
  const outcome = await work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome) return outcome.error;
  throw new Error(`expected a rejection, got ${JSON.stringify(outcome.value)}`);
}
