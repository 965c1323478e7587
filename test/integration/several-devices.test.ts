import type { DeviceHandle } from '../../src/simulator/simulator';
import { kh } from '../support/kh';
import { cuttlefish, modulePhone, NO_CONFIG, pixel, startLab } from '../support/lab';
import { outcomesOf, pull, resultsOf } from '../support/pull';
import { stagingLeftovers, storeArchives, storeTrees, storeWorkspaces } from '../support/store-contents';

/** Three phones with one kernel, by their serials. */
const THREE = ['ONE', 'TWO', 'THREE'].map((serial) => pixel({ serial }));

function transfers(devices: readonly DeviceHandle[]): number {
  return devices.reduce((sum, { counters }) => sum + counters.recvCompleted, 0);
}

describe('kh pull from several devices', () => {
  it('serves sixteen devices of three kernels with three transfers and three trees', async () => {
    const lab = await startLab({
      devices: [
        pixel({ serial: 'PIXEL-#', count: 6, files: NO_CONFIG }),
        modulePhone({ serial: 'MODULE-#', count: 5, files: NO_CONFIG }),
        cuttlefish({ serial: 'CUTTLEFISH-#', count: 5, files: NO_CONFIG }),
      ],
    });
    const run = await pull(lab, ['--all']);
    expect(run).toExitWith(0);
    const results = resultsOf(run);
    expect(outcomesOf(run).map(({ serial }) => serial)).toEqual(lab.devices.map(({ serial }) => serial));
    expect(results.map(({ release }) => release)).toEqual(lab.devices.map(({ kernel }) => kernel.release));
    expect(results.filter(({ transferred }) => transferred)).toHaveLength(3);
    expect(transfers(lab.devices)).toBe(3);
    expect(await storeTrees(run.home)).toEqual([...new Set(results.map(({ sha256 }) => sha256))].sort());
    expect(await storeTrees(run.home)).toHaveLength(3);
    expect(await storeWorkspaces(run.home)).toHaveLength(16);
    expect(await stagingLeftovers(run.home)).toEqual([]);
    expect(lab.devices.flatMap((device) => device.modules())).toEqual([]);
  });

  it('does the others where one is not authorized and one has no headers, and exits with 10', async () => {
    const lab = await startLab({
      devices: [
        pixel(),
        pixel({ serial: 'STRANGER', state: 'unauthorized' }),
        pixel({ serial: 'BARE', headers: { kind: 'absent' } }),
        cuttlefish(),
      ],
    });
    const run = await pull(lab, ['--all']);
    expect(run).toExitWith(10);
    expect(run.json()).toMatchObject({
      status: 'partial',
      exitCode: 10,
      devices: [
        { serial: 'PIXEL', status: 'ok' },
        { serial: 'STRANGER', status: 'failed', error: { code: 'DEVICE_UNAUTHORIZED', exitCode: 4 } },
        { serial: 'BARE', status: 'failed', error: { code: 'HEADERS_ABSENT', exitCode: 5 } },
        { serial: 'CUTTLEFISH', status: 'ok' },
      ],
    });
    expect(await storeTrees(run.home)).toHaveLength(2);
    expect(run.stderr).toMatch(/^error: STRANGER: /m);
    expect(run.stderr).toMatch(/^error: BARE: /m);
  });

  it('gives the results in the order in which -s named the devices, each once', async () => {
    const lab = await startLab({ devices: THREE });
    const run = await kh(['pull', '-s', 'THREE', '-s', 'ONE', '-s', 'TWO', '-s', 'ONE'], { lab });
    expect(run).toExitWith(0);
    const lines = run.stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split('\t')[0])).toEqual(['THREE', 'ONE', 'TWO']);
    for (const line of lines) expect(line).toMatch(/^(\w+)\t\/.*\/workspaces\/\1\/6\.1\.145\S*$/);
  });

  it('leaves out what --exclude names', async () => {
    const lab = await startLab({ devices: THREE });
    const run = await pull(lab, ['--all', '--exclude', 'TWO', '--exclude', 'ONE']);
    expect(run).toExitWith(0);
    expect(outcomesOf(run).map(({ serial }) => serial)).toEqual(['THREE']);
    expect(lab.device('TWO').counters.services).toEqual({});
  });

  it('touches none where every device is excluded', async () => {
    const lab = await startLab({ devices: THREE });
    const run = await kh(['pull', '--all', ...THREE.flatMap(({ serial }) => ['--exclude', serial])], { lab });
    expect(run).toExitWith(3);
    expect(run.stderr).toMatch(/every attached device is excluded/);
  });

  it('takes one after the other with --jobs 1, and several at a time with more', async () => {
    const lab = await startLab({ devices: THREE.map((device) => ({ ...device, latency: 20 })) });
    const serials = THREE.map(({ serial }) => serial);
    const alone = await kh(['pull', '--all', '--verbose', '--jobs', '1'], { lab });
    expect(alone).toExitWith(0);
    expect(turns(alone.stderr)).toEqual(serials);
    const together = await kh(['pull', '--all', '--verbose', '--jobs', '3'], { lab });
    expect(together).toExitWith(0);
    expect(turns(together.stderr).length).toBeGreaterThan(serials.length);
  });

  it('gives two devices that share one serial number a workspace each, and the same ones again', async () => {
    const lab = await startLab({
      devices: [pixel({ serial: 'BUS-#', count: 2, serialno: '0123456789' })],
    });
    const twins = ['-s', 'BUS-1', '-s', 'BUS-2'];
    const first = await pull(lab, twins);
    expect(first).toExitWith(0);
    expect(await storeWorkspaces(first.home)).toHaveLength(2);
    const again = await pull(lab, twins, { home: first.home });
    expect(again).toExitWith(0);
    expect(resultsOf(again).map(({ workspace }) => workspace)).toEqual(
      resultsOf(first).map(({ workspace }) => workspace),
    );
    expect(new Set(resultsOf(first).map(({ workspace }) => workspace)).size).toBe(2);
  });

  it('does so for a serial number that looks like a real one, too', async () => {
    const lab = await startLab({
      devices: [pixel({ serial: 'BUS-#', count: 3, serialno: '9A231FFAZ00AAA' })],
    });
    const run = await pull(lab, ['--all']);
    expect(run).toExitWith(0);
    const names = resultsOf(run).map(({ device }) => device);
    expect(new Set(names).size).toBe(3);
    expect(names).toContain('9A231FFAZ00AAA');
  });

  it('exits with the code of the failure where all fail in the same way', async () => {
    const bare = ['A', 'B', 'C'].map((serial) => pixel({ serial, headers: { kind: 'absent' } }));
    const lab = await startLab({ devices: bare });
    const run = await pull(lab, ['--all']);
    expect(run).toExitWith(5);
    expect(run.json()).toMatchObject({ status: 'failed', exitCode: 5 });
    expect(outcomesOf(run).map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
  });

  it('exits with the lowest code where all fail, each in its own way', async () => {
    const lab = await startLab({
      devices: [
        pixel({ headers: { kind: 'built-in', archive: Buffer.from('no archive') } }),
        pixel({ serial: 'OFF', state: 'bootloader' }),
        pixel({ serial: 'BARE', headers: { kind: 'absent' } }),
      ],
    });
    const run = await pull(lab, ['--all']);
    expect(run).toExitWith(4);
    const codes = outcomesOf(run).map((outcome) => outcome.status === 'failed' && outcome.error.exitCode);
    expect(codes).toEqual([7, 4, 5]);
    expect(await storeArchives(run.home)).toEqual([]);
  });
});

/** Whose lines follow whose on stderr; a device that speaks several times in a row counts once. */
function turns(stderr: string): string[] {
  const speakers = stderr.split('\n').flatMap((line) => /^(\w+): /.exec(line)?.[1] ?? []);
  return speakers.filter((serial, at) => serial !== speakers[at - 1]);
}
