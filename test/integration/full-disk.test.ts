import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fakeKernelBuild } from '../support/fake-kernel-build';
import { kh } from '../support/kh';
import { pixel, startLab, withLargeArchive } from '../support/lab';
import { errorOf, pull } from '../support/pull';
import { describeWithSmallDisk, makeReadOnly, smallDisk } from '../support/small-disk';
import {
  folderListing,
  stagingLeftovers,
  storeArchives,
  storeTrees,
  storeWorkspaces,
} from '../support/store-contents';
import { tempFolder } from '../support/temp-folder';

const DISK = 20 * 2 ** 20;

/** Takes all of a disk but so many bytes. @returns how to give them back */
async function fill(disk: string, free: number): Promise<() => Promise<void>> {
  const ballast = join(disk, 'ballast');
  await writeFile(ballast, Buffer.alloc(DISK - free));
  return () => rm(ballast);
}

describeWithSmallDisk('kh pull onto a disk of 20 MB', () => {
  it.each([
    ['the archive', 150_000],
    ['the tree', 700_000],
    ['the last of the tree', 1_100_000],
  ])('says how much is needed where it is full before %s, and leaves nothing', async (_, free) => {
    const lab = await startLab({ devices: [await withLargeArchive(pixel())] });
    const disk = await smallDisk(DISK);
    const home = join(disk, 'home');
    const makeRoom = await fill(disk, free);
    const run = await pull(lab, [], { home });
    expect(run).toExitWith(11);
    const { code, message, hint } = errorOf(run);
    expect(code).toBe('STORE_FULL');
    expect(message).toContain(`no space left on the disk that holds ${home}/v1/tmp/`);
    expect(message).toMatch(/\(\d+(\.\d+)? [KM]B needed, \d+(\.\d+)? [KM]?B free\)$/);
    expect(hint).toMatch(/KH_HOME/);
    expect(await storeTrees(home)).toEqual([]);
    expect(await storeArchives(home)).toEqual([]);
    expect(await storeWorkspaces(home)).toEqual([]);
    expect(await stagingLeftovers(home)).toEqual([]);
    await makeRoom();
    expect(await pull(lab, [], { home })).toExitWith(0);
  });

  it('fails cleanly where there is not a single byte', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const disk = await smallDisk(DISK);
    await fill(disk, 0);
    const run = await pull(lab, [], { home: join(disk, 'home') });
    expect(run).toExitWith(11);
    expect(errorOf(run).code).toBe('STORE_FULL');
    expect(await stagingLeftovers(run.home)).toEqual([]);
  });

  it('leaves the workspace that is there as it was', async () => {
    const lab = await startLab({ devices: [await withLargeArchive(pixel())] });
    const disk = await smallDisk(DISK);
    const home = join(disk, 'home');
    expect(await pull(lab, [], { home })).toExitWith(0);
    const before = await folderListing(join(home, 'v1', 'workspaces'));
    await fill(disk, 2 * 2 ** 20);
    expect(await pull(lab, ['--force'], { home })).toExitWith(11);
    expect(await folderListing(join(home, 'v1', 'workspaces'))).toEqual(before);
    expect(await kh(['workspace', 'verify'], { home })).toExitWith(0);
  });

  it('names the folder where the disk is read-only', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const disk = await smallDisk(DISK);
    makeReadOnly(disk);
    const run = await pull(lab, [], { home: join(disk, 'home') });
    expect(run).toExitWith(11);
    expect(errorOf(run).code).toBe('STORE_DENIED');
    expect(errorOf(run).message).toContain(`${disk}/home: the file system is read-only`);
  });
});

describe('kh pull into a home that cannot be used', () => {
  const asUser = process.getuid?.() === 0 ? it.skip : it;

  asUser('names the folder where this user may not write (root may everywhere)', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const locked = join(await tempFolder(), 'locked');
    await mkdir(locked);
    await chmod(locked, 0o500);
    const run = await pull(lab, [], { home: join(locked, 'home') });
    expect(run).toExitWith(11);
    expect(errorOf(run).message).toContain(`${locked}/home: permission denied`);
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;

  onLinux('comes back where no folder can be made', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const run = await pull(lab, [], { home: '/proc/nowhere/home' });
    expect(run).toExitWith(11);
    expect(errorOf(run).message).toContain('/proc/nowhere/home');
  });

  it('names the file that stands in the place of the folder', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const home = join(await tempFolder(), 'home');
    await writeFile(home, 'not a folder\n');
    const run = await pull(lab, [], { home });
    expect(run).toExitWith(11);
    expect(errorOf(run).message).toContain(home);
    expect(lab.device('PIXEL').counters.services).toEqual({});
  });
});

describeWithSmallDisk('kh pack and a full disk', () => {
  it('says so of the folder that it writes to, not of the store, and leaves nothing', async () => {
    const { build } = await fakeKernelBuild(await tempFolder());
    const disk = await smallDisk(DISK);
    await fill(disk, 0);
    const run = await kh(['pack', build, '-o', disk, '--json']);
    expect(run).toExitWith(11);
    const { code, hint } = errorOf(run);
    expect(code).toBe('STORE_FULL');
    expect(hint).toBe('Free some space there, or name a folder on a larger disk.');
    expect(await readdir(disk)).toEqual(['ballast']);
  });

  it('says so of the store where an import packs into it', async () => {
    const { build } = await fakeKernelBuild(await tempFolder(), { pullable: true });
    const disk = await smallDisk(DISK);
    const home = join(disk, 'home');
    expect(await kh(['workspace', 'list'], { home })).toExitWith(0);
    await fill(disk, 0);
    const run = await kh(['import', '--from-pack', build, '--json'], { home });
    expect(run).toExitWith(11);
    const { code, hint } = errorOf(run);
    expect(code).toBe('STORE_FULL');
    expect(hint).toContain('KH_HOME');
    expect(await stagingLeftovers(home)).toEqual([]);
  });
});
