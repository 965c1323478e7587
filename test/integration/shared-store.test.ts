import { lstatSync, readdirSync, statSync } from 'node:fs';
import { readFile, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { kh, startKh } from '../support/kh';
import { hangAt, NO_CONFIG, pixel, startLab, withLargeArchive } from '../support/lab';
import { pull, resultOf } from '../support/pull';
import { stagingLeftovers, storeTrees, storeWorkspaces } from '../support/store-contents';
import { describeWithUsers, twoUsers, type TestUser } from '../support/two-users';

/** Flags and folders of a run by one of the users. */
const as = (user: TestUser, home: string) => ({ user, home, cwd: user.home, env: { HOME: user.home } });

/** Every path below a folder, itself included. */
function everything(folder: string): string[] {
  const below = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? everything(path) : [path];
  });
  return [folder, ...below];
}

/** What the group may not do that it must be able to, for the next user to carry on. */
function lockedAway(home: string): string[] {
  return everything(home).filter((path) => {
    const { mode, gid } = lstatSync(path);
    if (gid !== lstatSync(home).gid) return true;
    if (lstatSync(path).isSymbolicLink()) return false;
    const setgid = path.includes('/trees/') ? 0 : 0o2000;
    const needed = lstatSync(path).isDirectory() ? setgid | 0o070 : 0o040;
    return (mode & needed) !== needed;
  });
}

describeWithUsers('a store that two users of a group share', () => {
  it('takes what one has pulled for the other, and stays open to the group alone', async () => {
    const { ada, bob, home } = await twoUsers();
    const lab = await startLab({ devices: [pixel({ files: NO_CONFIG })] });
    const first = await pull(lab, [], as(ada, home));
    expect(first).toExitWith(0);
    const again = await pull(lab, [], as(bob, home));
    expect(again).toExitWith(0);
    expect(resultOf(again)).toMatchObject({ transferred: false, sha256: resultOf(first).sha256 });
    expect(lockedAway(home)).toEqual([]);
    const open = everything(home).filter(
      (path) =>
        !lstatSync(path).isSymbolicLink() && !path.includes('/trees/') && lstatSync(path).mode & 0o002,
    );
    expect(open).toEqual([]);
    for (const folder of ['v1', 'v1/archives', 'v1/workspaces', 'v1/locks', 'v1/tmp']) {
      expect(statSync(join(home, folder)).mode & 0o7777).toBe(0o2770);
    }
    for (const user of [ada, bob]) {
      expect(await kh(['store', 'verify'], as(user, home))).toExitWith(0);
      expect(await kh(['workspace', 'verify'], as(user, home))).toExitWith(0);
    }
  });

  it('counts a use by one as a use of what the other has pulled', async () => {
    const { ada, bob, home } = await twoUsers();
    const lab = await startLab({ devices: [pixel({ files: NO_CONFIG })] });
    const { workspace } = resultOf(await pull(lab, [], as(ada, home)));
    const record = join(workspace, 'workspace.json');
    const pulled = statSync(record);
    expect(await pull(lab, [], as(bob, home))).toExitWith(0);
    expect(statSync(record).mtimeMs).toBeGreaterThan(pulled.mtimeMs);
    expect(statSync(record)).toMatchObject({ ino: pulled.ino, uid: ada.uid });
  });

  it('lets one repair, make anew and remove what the other has made', async () => {
    const { ada, bob, home } = await twoUsers();
    const lab = await startLab({ devices: [pixel({ files: NO_CONFIG })] });
    const { headers } = resultOf(await pull(lab, [], as(ada, home)));
    await rm(join(headers, 'include/linux/kconfig.h'));
    expect(await kh(['store', 'verify'], as(bob, home))).toExitWith(11);
    expect(await kh(['store', 'verify', '--repair'], as(bob, home))).toExitWith(0);
    expect(await pull(lab, ['--force'], as(ada, home))).toExitWith(0);
    expect(await kh(['workspace', 'remove', '--all'], as(bob, home))).toExitWith(0);
    const longAgo = new Date(Date.now() - 2 * 3600_000);
    for (const name of readdirSync(join(home, 'v1/archives'))) {
      await utimes(join(home, 'v1/archives', name), longAgo, longAgo);
    }
    expect(await kh(['store', 'gc'], as(bob, home))).toExitWith(0);
    expect(await storeWorkspaces(home)).toEqual([]);
    expect(await storeTrees(home)).toEqual([]);
    expect(await stagingLeftovers(home)).toEqual([]);
  });

  it('lets one read headers by the index that the other has made', async () => {
    const { ada, bob, home } = await twoUsers();
    const lab = await startLab({ devices: [pixel({ files: NO_CONFIG })] });
    expect(await pull(lab, [], as(ada, home))).toExitWith(0);
    const search = ['headers', 'search', 'CONFIG_HZ', '-w', 'PIXEL'];
    const first = await kh(search, as(ada, home));
    expect(first).toExitWith(0);
    const [index = ''] = readdirSync(join(home, 'v1/indexes')).map((name) => join(home, 'v1/indexes', name));
    const made = statSync(index);
    expect(lockedAway(home)).toEqual([]);
    const again = await kh(search, as(bob, home));
    expect(again).toExitWith(0);
    expect(again.stdout).toBe(first.stdout);
    expect(statSync(index)).toMatchObject({ ino: made.ino, uid: ada.uid });
    expect(statSync(index).mtimeMs).toBeGreaterThan(made.mtimeMs);
  });

  it('is cleared up by one after a kh of the other that was killed', async () => {
    const { ada, bob, home } = await twoUsers();
    const lab = await startLab({
      devices: [await withLargeArchive(pixel({ faults: [hangAt('recv', 200_000)] }))],
    });
    const killed = await startKh(['pull', '-v'], { ...as(ada, home), lab });
    await killed.untilStderr(/headers at/);
    await new Promise((go) => setTimeout(go, 500)); // until the transfer hangs
    killed.send('SIGKILL');
    await killed.ended;
    expect(await stagingLeftovers(home)).not.toEqual([]);
    expect(await kh(['store', 'gc'], as(bob, home))).toExitWith(0);
    expect(await stagingLeftovers(home)).toEqual([]);
    expect(lockedAway(home)).toEqual([]);
  });

  it('leaves the umask of the user to what goes elsewhere', async () => {
    const { ada, home } = await twoUsers();
    const lab = await startLab({ devices: [pixel({ files: NO_CONFIG })] });
    const run = await kh(['pull', '--report', 'junit=report.xml'], { ...as(ada, home), lab });
    expect(run).toExitWith(0);
    expect(statSync(join(ada.home, 'report.xml')).mode & 0o777).toBe(0o600);
    const watched = await kh(['watch', '--once', '--exec', `umask >${join(ada.home, 'umask')}`], {
      ...as(ada, home),
      lab,
    });
    expect(watched).toExitWith(0);
    expect(await readFile(join(ada.home, 'umask'), 'utf8')).toBe('0077\n');
  });

  it('is closed to whoever is not in the group', async () => {
    const { ada, home } = await twoUsers();
    const stranger = await kh(['workspace', 'list'], as({ ...ada, uid: 54_003, gid: 54_003 }, home));
    expect(stranger).toExitWith(11);
    const root = await kh(['workspace', 'list'], { home });
    expect(root).toExitWith(11);
    expect(root.stderr).toMatch(/shared by a group \(gid 54000\) that you are not in/);
  });
});
