import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tempFolder } from './temp-folder';

const mounted: string[] = [];

/** A file system of its own, in memory, of so many bytes. It is unmounted after the test. */
export async function smallDisk(bytes: number): Promise<string> {
  const folder = await tempFolder();
  run('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'kh-test', folder);
  mounted.push(folder);
  return folder;
}

/** Lets nobody, root included, write to a small disk any more. */
export function makeReadOnly(disk: string): void {
  run('mount', '-o', 'remount,ro', disk);
}

/** `describe` where this process may mount: it takes root, and more than a container's usual rights. */
export function describeWithSmallDisk(name: string, tests: () => void): void {
  if (mayMount()) describe(name, tests);
  else describe.skip(`${name} (mounting a disk of that size takes root)`, tests);
}

function mayMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'kh-test-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', 'kh-test', folder]);
  if (status === 0) run('umount', folder);
  rmdirSync(folder);
  return status === 0;
}

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

afterEach(() => {
  for (const folder of mounted.splice(0)) run('umount', folder);
});
