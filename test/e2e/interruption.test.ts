import { kh, startKh } from '../support/kh';
import { stagingLeftovers, storeTrees, storeWorkspaces } from '../support/store-contents';
import { tempFolder } from '../support/temp-folder';
import { onlyDevice, pull } from './support/pull';
import { bootGuest, describeOnRig, stopAdbServer, type Guest } from './support/rig';

afterAll(stopAdbServer);

describeOnRig('a pull whose headers are in a module', () => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await bootGuest({ kernel: 'arm64-6.12', user: 'shell' });
  });
  afterAll(() => guest[Symbol.asyncDispose]());

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('undoes all on %s in the middle, and exits with %d', async (signal, code) => {
    const home = await tempFolder();
    const process = await startKh(['pull', '-s', guest.serial], { home, env: guest.env });
    await process.untilStderr(/loaded .*kheaders\.ko/);
    process.send(signal);
    expect(await process.ended).toExitWith(code);
    expect(await guest.adb('shell', 'cat /proc/modules')).toBe('');
    expect(await storeTrees(home)).toEqual([]);
    expect(await stagingLeftovers(home)).toEqual([]);
  });

  it('unloads what a killed pull had loaded, the next time', async () => {
    const home = await tempFolder();
    const process = await startKh(['pull', '-s', guest.serial], { home, env: guest.env });
    await process.untilStderr(/loaded .*kheaders\.ko/);
    process.send('SIGKILL');
    await process.ended;
    expect(await guest.adb('shell', 'cat /proc/modules')).toMatch(/^kheaders /);
    expect(await pull(guest, home)).toExitWith(0);
    expect(await guest.adb('shell', 'cat /proc/modules')).toBe('');
    expect(await stagingLeftovers(home)).toEqual([]);
  });

  it('leaves a module that someone else had loaded', async () => {
    await guest.adb('shell', 'su 0 insmod /system_dlkm/lib/modules/kheaders.ko');
    expect(await pull(guest, await tempFolder())).toExitWith(0);
    expect(await guest.adb('shell', 'cat /proc/modules')).toMatch(/^kheaders /);
    await guest.adb('shell', 'su 0 rmmod kheaders');
  });

  it('is done by eight processes at once: one tree, one workspace, nothing left loaded', async () => {
    const home = await tempFolder();
    const runs = await Promise.all(Array.from({ length: 8 }, () => pull(guest, home)));
    for (const run of runs) expect(run).toExitWith(0);
    const digests = new Set(runs.map((run) => onlyDevice(run).result.sha256));
    expect(digests.size).toBe(1);
    expect(await storeTrees(home)).toEqual([...digests]);
    expect(await storeWorkspaces(home)).toHaveLength(1);
    expect(await stagingLeftovers(home)).toEqual([]);
    expect(await guest.adb('shell', 'cat /proc/modules')).toBe('');
  });
});

describeOnRig('a device that goes away', () => {
  it('in the middle of a pull is reported as lost, with nothing half-made left', async () => {
    await using guest = await bootGuest({ kernel: 'arm64-6.12', user: 'root' });
    const home = await tempFolder();
    const process = await startKh(['pull', '-s', guest.serial], { home, env: guest.env });
    await process.untilStderr(/loaded .*kheaders\.ko/);
    guest.kill();
    const run = await process.ended;
    expect(run).toExitWith(4);
    expect(run.stderr).toMatch(/^error: 127\.0\.0\.1:\d+: .*lost/m);
    expect(run.stderr).not.toMatch(/^\s+at /m);
    expect(await storeTrees(home)).toEqual([]);
    expect(await stagingLeftovers(home)).toEqual([]);
  });

  it('before a pull is not found, or is reported as offline', async () => {
    await using guest = await bootGuest({ kernel: 'x86_64-6.1' });
    guest.kill();
    const run = await kh(['pull', '-s', guest.serial], { env: guest.env });
    expect([3, 4]).toContain(run.exitCode);
    expect(run.stderr).toMatch(/^error: 127\.0\.0\.1:\d+: /m);
  });
});
