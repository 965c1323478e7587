import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';

/**
 * How a tree differs from what GNU tar makes of the same archive: contents by
 * diff(1), then every name with its type, mode and link target. Empty where
 * the two are equal.
 */
export function differencesFromTar(archive: string, tree: string, scratch: string): string {
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  execFileSync('tar', ['-xJf', archive, '-C', scratch]);
  const contents = lines('diff', ['-r', '--no-dereference', scratch, tree]);
  const listing = (folder: string) =>
    execFileSync('find', [folder, '-printf', '%P %y %m %l\\n'], { maxBuffer: 2 ** 26 })
      .toString()
      .split('\n')
      .sort()
      .join('\n');
  const names = listing(scratch) === listing(tree) ? '' : 'names, types, modes or link targets differ';
  rmSync(scratch, { recursive: true, force: true });
  return [contents, names].filter((text) => text !== '').join('\n');
}

/** diff exits with 1 where there are differences, which is an answer. */
function lines(command: string, args: string[]): string {
  try {
    return execFileSync(command, args, { maxBuffer: 2 ** 26 }).toString();
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 1 && 'stdout' in error) {
      return String(error.stdout);
    }
    throw error;
  }
}
