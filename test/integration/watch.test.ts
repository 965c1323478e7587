import { execFileSync } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceDescription } from '../../src/simulator/lab/lab-description';
import { kh, startKh } from '../support/kh';
import { closeAt, hangAt, modulePhone, pixel, startLab, withLargeArchive } from '../support/lab';
import { folderListing, stagingLeftovers, storeTrees, storeWorkspaces } from '../support/store-contents';
import { tempFolder } from '../support/temp-folder';
import { eventsOf, startWatch } from '../support/watch';

const NEXT_KERNEL = { kernel: { release: '6.1.150-android14-11-gdeadbeef0000-ab15000000' } };

/** A command that writes what it was given into a file of this folder, a line each. */
function noting(folder: string): string[] {
  const line = '$KH_SERIAL $KH_DEVICE $KH_RELEASE $KH_CHANGED $KH_VERIFIED $ANDROID_SERIAL';
  return ['--exec', `echo "${line}" >>${join(folder, 'noted')}`];
}

async function noted(folder: string): Promise<string[]> {
  return (await readFile(join(folder, 'noted'), 'utf8')).split('\n').slice(0, -1);
}

async function until(seen: () => Promise<boolean>): Promise<void> {
  while (!(await seen())) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('a watch', () => {
  it('pulls for what is there, for what comes, and again after a reboot into another kernel', async () => {
    const lab = await startLab({ devices: [pixel(), modulePhone()] });
    const phone = lab.device('PIXEL');
    lab.device('MODULE').unplug();
    const watch = await startWatch([], { lab });
    await watch.until('headers.ready', { serial: 'PIXEL' });
    lab.device('MODULE').plug();
    await watch.until('headers.ready', { serial: 'MODULE' });
    const transferred = phone.counters.recvCompleted;
    await phone.rebootInto(NEXT_KERNEL);
    const ready = await watch.until('headers.ready', { serial: 'PIXEL', count: 2 });
    expect(ready.result).toMatchObject({
      release: NEXT_KERNEL.kernel.release,
      transferred: true,
      changed: true,
    });
    phone.reboot();
    const again = await watch.until('headers.ready', { serial: 'PIXEL', count: 3 });
    expect(again.result).toMatchObject({ transferred: false, knownBy: 'device-md5', changed: false });
    expect(phone.counters.recvCompleted).toBeGreaterThan(transferred);
    const run = await watch.stop();
    expect(run).toExitWith(0);
    expect(run.milliseconds).toBeLessThan(60_000);
    expect(await storeWorkspaces(run.home)).toHaveLength(3);
    expect(await stagingLeftovers(run.home)).toEqual([]);
    expect(lab.device('MODULE').modules()).toEqual([]);
    expect(run.stderr).toBe('');
  });

  it('writes an event on a line, each with its time, its place in the order, and the serial and server', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const watch = await startWatch(['--verbose'], { lab });
    await watch.until('headers.ready');
    const { stdout } = await watch.stop();
    const events = eventsOf(stdout);
    expect(events.map(({ type }) => type).filter((type) => type !== 'pull.step')).toEqual([
      'watch.started',
      'server.connected',
      'device.appeared',
      'headers.ready',
      'watch.ended',
    ]);
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
    const times = events.map(({ time }) => time);
    expect(times).toEqual([...times].sort());
    for (const event of events.filter(({ type }) => /^(device|headers|pull)\./.test(type))) {
      expect(event).toMatchObject({ serial: 'PIXEL', server: `127.0.0.1:${lab.port}` });
    }
    expect(events.flatMap((event) => (event.type === 'pull.step' ? [event.step.type] : []))).toContain(
      'archive.received',
    );
  });

  it('goes on after its adb server was restarted, and says so once', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const watch = await startWatch([], { lab });
    await watch.until('headers.ready');
    await lab.restart(1_500);
    await watch.until('server.connected', { count: 2 });
    await lab.device('PIXEL').rebootInto(NEXT_KERNEL);
    await watch.until('headers.ready', { count: 2 });
    const events = eventsOf((await watch.stop()).stdout);
    expect(events.filter(({ type }) => type === 'server.lost')).toHaveLength(1);
    expect(events.map(({ type }) => type)).not.toContain('device.failed');
  });

  it('waits for an adb server that is not there yet', async () => {
    const other = await startLab({ devices: [] });
    const { port } = other;
    await other.close();
    const watch = await startWatch(['-P', String(port)], {});
    const { error } = await watch.until('server.lost');
    expect(error.code).toBe('ADB_MISSING');
    await startLab({ devices: [pixel()] }, { port });
    await watch.until('headers.ready');
    expect(await watch.stop()).toExitWith(0);
  });

  it('tries again what failed, and is done when the device is', async () => {
    const lab = await startLab({ devices: [await withLargeArchive(pixel())] });
    const undo = lab.device('PIXEL').addFault({ ...closeAt('recv', 100_000), match: 'kheaders' });
    const watch = await startWatch([], { lab });
    const failed = await watch.until('device.failed');
    expect(failed).toMatchObject({ attempt: 1, retryInMilliseconds: 2_000, news: true });
    await watch.until('device.failed', { count: 2 });
    undo();
    await watch.until('headers.ready');
    const { home } = await watch.stop();
    expect(await storeTrees(home)).toHaveLength(1);
  });

  it('pulls again for a device that went while its pull ran', async () => {
    const lab = await startLab({ devices: [await withLargeArchive(pixel({ speed: 200_000 }))] });
    const watch = await startWatch(['--verbose'], { lab });
    await watch.until('pull.step', { count: 3 });
    lab.device('PIXEL').unplug(4_000);
    const { error } = await watch.until('device.failed');
    expect(error.code).toBe('DEVICE_LOST');
    await watch.until('headers.ready');
    const { home } = await watch.stop();
    expect(await stagingLeftovers(home)).toEqual([]);
  });

  it('knows a phone that comes back under another serial', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const folder = await tempFolder();
    const watch = await startWatch(noting(folder), { lab });
    await watch.until('exec.finished');
    lab.device('PIXEL').rename('192.0.2.7:5555');
    const ready = await watch.until('headers.ready', { serial: '192.0.2.7:5555' });
    expect(ready.result).toMatchObject({ device: 'PIXEL', transferred: false, changed: false });
    const { home } = await watch.stop();
    expect(await storeWorkspaces(home)).toHaveLength(1);
    expect(await noted(folder)).toHaveLength(1);
  });

  it('says once what is to be done about a device that cannot be used', async () => {
    const lab = await startLab({ devices: [pixel({ state: 'unauthorized' })] });
    const watch = await startWatch([], { lab });
    const { error } = await watch.until('device.unusable');
    expect(error).toMatchObject({
      code: 'DEVICE_UNAUTHORIZED',
      hint: expect.stringMatching(/Unlock/) as string,
    });
    lab.device('PIXEL').setState('device');
    await watch.until('headers.ready');
    const events = eventsOf((await watch.stop()).stdout);
    expect(events.filter(({ type }) => type === 'device.unusable')).toHaveLength(1);
  });

  it('leaves alone what was not asked for', async () => {
    const lab = await startLab({ devices: [pixel(), modulePhone(), pixel({ serial: 'OTHER' })] });
    const watch = await startWatch(['--exclude', 'MODULE', '-s', 'PIXEL', '-s', 'MODULE'], { lab });
    await watch.until('headers.ready');
    const { stdout } = await watch.stop();
    expect(stdout).not.toMatch(/"serial":"(OTHER|MODULE)"/);
  });

  it('tells people in plain lines, in colour only where they want it', async () => {
    const lab = await startLab({
      devices: [pixel(), pixel({ serial: 'NONE', headers: { kind: 'absent' } })],
    });
    const run = await kh(['watch', '--once'], { lab });
    expect(run).toExitWith(10);
    expect(run.stdout).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ PIXEL: headers of 6\.1\.145.* ready in \//m);
    expect(run.stdout).toMatch(/Z NONE: failed: /);
    expect(run.stdout).not.toContain('\u001b');
    const coloured = await kh(['watch', '--once'], { lab, env: { FORCE_COLOR: '1' } });
    expect(coloured.stdout).toContain('\u001b[');
  });
});

describe('the end of a watch', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('comes with %s, in the middle of a pull', async (signal) => {
    const slow = await withLargeArchive(modulePhone({ speed: 50_000 }));
    const lab = await startLab({ devices: [slow] });
    const watch = await startWatch(['--verbose'], { lab });
    await watch.until('pull.step', { count: 5 });
    const start = performance.now();
    watch.process.send(signal);
    const run = await watch.process.ended;
    expect(performance.now() - start).toBeLessThan(6_000); // the time after which kh would give up
    expect(run).toExitWith(0);
    expect(eventsOf(run.stdout).at(-1)).toMatchObject({ type: 'watch.ended', status: 'ok', exitCode: 0 });
    expect(lab.device('MODULE').modules()).toEqual([]);
    expect(await stagingLeftovers(run.home)).toEqual([]);
    expect(await storeTrees(run.home)).toEqual([]);
  });

  it('comes when nobody reads what it says', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const run = await kh(['watch', '--json'], { lab, unread: true, env: { PATH: '/nowhere' } });
    expect(run).toExitWith(0);
    expect(run.stderr).toBe('');
  });

  it('is not hindered by a reader that has stopped reading', async () => {
    const lab = await startLab({ devices: [pixel({ serial: 'RACK-#', count: 100 })] });
    const pipe = join(await tempFolder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = await open(pipe, 'r+');
    const watch = await startKh(['watch', '--json', '--verbose', '--jobs', '50'], { lab, stdoutTo: pipe });
    await until(async () => (await storeWorkspaces(watch.home)).length === 100);
    watch.send('SIGTERM');
    const run = await watch.ended;
    expect(run).toExitWith(0);
    const { bytesRead } = await reader.read({ buffer: Buffer.alloc(2 ** 20) });
    await reader.close();
    expect(bytesRead).toBeGreaterThan(60_000); // the pipe was full
  });

  it('is told on a line where the command line is wrong', async () => {
    const run = await kh(['watch', '--json', '--no-such-flag']);
    expect(run).toExitWith(2);
    expect(eventsOf(run.stdout)).toHaveLength(1);
  });
});

describe('the command of --exec', () => {
  it('runs once for each boot of a device, with the facts in its environment', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const folder = await tempFolder();
    const watch = await startWatch(noting(folder), { lab });
    await watch.until('exec.finished');
    lab.device('PIXEL').unplug(4_000);
    await watch.until('headers.ready', { count: 2 });
    lab.device('PIXEL').reboot();
    await watch.until('exec.finished', { count: 2 });
    await lab.device('PIXEL').rebootInto(NEXT_KERNEL);
    await watch.until('exec.finished', { count: 3 });
    await watch.stop();
    const { release = '' } = pixel().kernel ?? {};
    expect(await noted(folder)).toEqual([
      `PIXEL PIXEL ${release} 1 0 PIXEL`,
      `PIXEL PIXEL ${release} 0 0 PIXEL`,
      `PIXEL PIXEL ${NEXT_KERNEL.kernel.release} 1 0 PIXEL`,
    ]);
  });

  it('is no way in for what a device says of itself', async () => {
    const folder = await tempFolder();
    const serial = `$(touch ${folder}/injected)\`touch ${folder}/too\`; touch ${folder}/three\u001b[2J`;
    const lab = await startLab({ devices: [pixel({ serial })] });
    const run = await kh(['watch', '--once', '--exec', 'echo "$KH_SERIAL"; echo $KH_RELEASE'], { lab });
    expect(run).toExitWith(0);
    expect(await folderListing(folder)).toEqual(['/ 700']);
    expect(run.stderr).toMatch(/^\$\(touch .*injected.*\\x1b\[2J: \$\(touch /m);
    expect(run.stdout + run.stderr).not.toContain('\u001b');
  });

  it('is told of with its exit code, and what it says goes to stderr with the serial in front', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const run = await kh(['watch', '--once', '--json', '--exec', 'echo working; exit 3'], { lab });
    expect(run).toExitWith(12);
    expect(run.stderr).toBe('PIXEL: working\n');
    expect(eventsOf(run.stdout).find(({ type }) => type === 'exec.finished')).toMatchObject({
      exitCode: 3,
      timedOut: false,
      error: { code: 'EXEC_FAILED' },
    });
  });

  it('is ended when it takes too long', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const command = 'echo $$; while :; do sleep 1; done';
    const run = await kh(['watch', '--once', '--json', '--exec', command, '--exec-timeout', '1s'], { lab });
    expect(run).toExitWith(12);
    expect(eventsOf(run.stdout).find(({ type }) => type === 'exec.finished')).toMatchObject({
      timedOut: true,
    });
    expectGone(run.stderr);
  });

  it('ends with the watch', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const args = ['watch', '--exec', 'trap "" TERM; echo $$; while :; do sleep 1; done'];
    const watch = await startKh(args, { lab });
    await watch.untilStderr(/PIXEL: \d+/);
    watch.send('SIGTERM');
    const run = await watch.ended;
    expect(run).toExitWith(0);
    expectGone(run.stderr);
  });
});

/** @param stderr of kh, with the process id that a command has printed */
function expectGone(stderr: string): void {
  const pid = Number(/^PIXEL: (\d+)$/m.exec(stderr)?.[1]);
  expect(pid).toBeGreaterThan(1);
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
}

describe('a watch with --once', () => {
  const rows: [exitCode: number, what: string, devices: DeviceDescription[], ...args: string[]][] = [
    [0, 'all are done', [pixel(), modulePhone()]],
    [0, 'one settles', [pixel({ state: 'offline', readyAfterMs: 1_000 })]],
    [10, 'some are done', [pixel(), pixel({ serial: 'NONE', headers: { kind: 'absent' } })]],
    [10, 'one that was named is not there', [pixel()], '-s', 'PIXEL', '-s', 'NOWHERE'],
    [3, 'nothing is attached', []],
    [3, 'the only one that was named is not there', [pixel()], '-s', 'NOWHERE'],
    [4, 'none can be used', [pixel({ state: 'unauthorized' })]],
    [5, 'none has headers', [pixel({ headers: { kind: 'absent' } })]],
    [9, 'none answers', [pixel({ faults: [hangAt('shell', 0)] })], '--timeout', '1s'],
  ];

  it.each(rows)('exits with %d where %s', async (exitCode, _what, devices, ...args) => {
    const lab = await startLab({ devices });
    const run = await kh(['watch', '--once', '--json', ...args], { lab });
    expect(run).toExitWith(exitCode);
    expect(eventsOf(run.stdout).at(-1)).toMatchObject({ type: 'watch.ended', exitCode });
  });

  it('exits with 69 where there is neither an adb server nor an adb to start one', async () => {
    const run = await kh(['watch', '--once'], { env: { PATH: '/nowhere' } });
    expect(run).toExitWith(69);
    expect(run.stderr).toMatch(/^error: /);
  });

  it('is interrupted with the exit code of the signal', async () => {
    const lab = await startLab({ devices: [pixel({ faults: [hangAt('shell', 0)] })] });
    const watch = await startWatch(['--once'], { lab });
    await watch.until('device.appeared');
    expect(await watch.stop()).toExitWith(143);
  });
});
