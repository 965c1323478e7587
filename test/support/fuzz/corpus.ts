import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../../../fixtures/fuzz');

/** Inputs that once failed, by their file names. */
export async function corpusOf(target: string): Promise<{ name: string; bytes: Buffer }[]> {
  const folder = join(ROOT, target);
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  return Promise.all(names.sort().map(async (name) => ({ name, bytes: await readFile(join(folder, name)) })));
}

/** Keeps an input for the regression tests; the seed that found it is in its name. @returns its path */
export async function keepInput(target: string, bytes: Buffer, seed: number): Promise<string> {
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  const folder = join(ROOT, target);
  await mkdir(folder, { recursive: true });
  const path = join(folder, `seed${seed}-${digest}.bin`);
  await writeFile(path, bytes);
  return path;
}
