import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tempFolder } from './temp-folder';

/** A user to run kh as. */
export interface TestUser {
  uid: number;
  gid: number;
  /** As sh(1) takes it. */
  umask: string;
  /** A folder of theirs. */
  home: string;
}

const GROUP = 54_000;

/** Two users of one group, with different umasks, and a home that the group shares, as an admin sets it up. */
export async function twoUsers(): Promise<{ ada: TestUser; bob: TestUser; home: string }> {
  const root = await tempFolder();
  chmodSync(root, 0o711);
  const user = (name: string, uid: number, umask: string): TestUser => {
    const home = join(root, name);
    mkdirSync(home);
    chownSync(home, uid, GROUP);
    return { uid, gid: GROUP, umask, home };
  };
  const home = join(root, 'shared');
  mkdirSync(home);
  chownSync(home, 0, GROUP);
  chmodSync(home, 0o2770);
  return { ada: user('ada', 54_001, '077'), bob: user('bob', 54_002, '022'), home };
}

/** `describe` where this process may become other users, and those can run kh from where it lies. */
export function describeWithUsers(name: string, tests: () => void): void {
  const why = whyNot();
  if (why === undefined) {
    describe(name, tests);
    return;
  }
  // jest names no test of a file in which all are left out.
  process.stderr.write(`tests of ${name} are left out: ${why}\n`);
  describe.skip(name, tests);
}

function whyNot(): string | undefined {
  if (process.platform === 'win32' || process.getuid?.() !== 0) return 'acting as two users takes root';
  const program = resolve(__dirname, '../../bin/run.js');
  const { status } = spawnSync(process.execPath, [program, '--version'], {
    cwd: '/',
    uid: 54_001,
    gid: GROUP,
    env: { HOME: '/nonexistent', KH_HOME: '/nonexistent' },
  });
  return status === 0 ? undefined : `other users cannot read ${program}`;
}
