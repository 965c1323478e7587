import { spawnSync } from 'node:child_process';

/**
 * Whether a command that some tests take is on this machine. Where it is not, a line says that they are left out.
 *
 * @throws Error under CI, where none may be missing
 */
export function isInstalled(command: string): boolean {
  return isThere(command, spawnSync(command, ['--version']).error === undefined);
}

/** The same of GNU tar, which is `tar` on some machines only. */
export function hasGnuTar(): boolean {
  return isThere('GNU tar', /GNU tar/.test(String(spawnSync('tar', ['--version']).stdout)));
}

function isThere(name: string, there: boolean): boolean {
  if (there) return true;
  if (process.env['CI'] === 'true') throw new Error(`${name} is not installed`);
  process.stderr.write(`${name} is not installed: tests that take it are left out\n`);
  return false;
}
