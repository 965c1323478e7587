import { chmod, lstat, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];

/** A new empty folder, in memory where the machine has such; gone after the test file. */
export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(await parent(), 'kh-test-'));
  made.push(folder);
  return folder;
}

async function parent(): Promise<string> {
  const inMemory = '/dev/shm';
  return (await stat(inMemory).catch(() => undefined))?.isDirectory() ? inMemory : tmpdir();
}

/** Trees in a store are read-only: whoever is not root has to open them first. */
async function removeFolder(path: string): Promise<void> {
  await makeWritable(path);
  await rm(path, { recursive: true, force: true });
}

async function makeWritable(path: string | Buffer): Promise<void> {
  if (process.getuid?.() === 0 || !(await lstat(path)).isDirectory()) return;
  await chmod(path, 0o700);
  // Names as bytes: not all that tests make are UTF-8.
  for (const name of await readdir(path, { encoding: 'buffer' })) {
    await makeWritable(Buffer.concat([Buffer.from(path), Buffer.from('/'), name]));
  }
}

afterAll(async () => {
  await Promise.all(made.splice(0).map(removeFolder));
});
