import { overDevices, type RunOptions } from '../../../src/app/over-devices';
import { pullHeaders, type PullOptions } from '../../../src/app/pull-headers';
import { labServers } from '../../../src/app/lab/lab-servers';
import type { KhEvent } from '../../../src/core/events';
import { TIME_LIMITS } from '../../../src/core/limits';
import { openStore } from '../../../src/store/layout';
import { withLock } from '../../../src/store/lock';
import { findWorkspaces } from '../../../src/store/workspaces';
import type { Simulator } from '../../../src/simulator/simulator';
import { pixel, startLab } from '../../support/lab';
import { tempFolder } from '../../support/temp-folder';

const PULL: PullOptions = { privilege: 'auto', requireManifest: false, force: false };

function optionsFor(lab: Simulator, home: string, times: Partial<RunOptions['times']> = {}): RunOptions {
  return {
    selection: { serials: [], all: true, exclude: [] },
    servers: labServers({ hosts: [lab.host], ports: [lab.port], env: {} }).servers,
    jobs: 8,
    env: { KH_HOME: home },
    times: { ...TIME_LIMITS, ...times },
  };
}

function pullAll(options: RunOptions, pull: Partial<PullOptions> = {}) {
  const events: KhEvent[] = [];
  const base = { signal: new AbortController().signal, emit: (event: KhEvent) => void events.push(event) };
  return overDevices(options, base, (device, context) =>
    pullHeaders(device, { ...PULL, ...pull }, context),
  ).then(({ devices }) => devices);
}

describe('overDevices', () => {
  it('begins again where another kh makes adbd restart as root meanwhile', async () => {
    const denied = pixel({ headers: { kind: 'denied' }, adbRoot: 'allowed', latency: 5 });
    const lab = await startLab({ devices: [denied] });
    const home = await tempFolder();
    const runs = await Promise.all(Array.from({ length: 4 }, () => pullAll(optionsFor(lab, home))));
    expect(runs.flat().map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'ok']);
  });

  it('calls a device lost that comes back without having become root', async () => {
    const gone = { kind: 'gone', on: 'recv', at: 100, match: 'kheaders', times: 1, forMs: 10 } as const;
    const lab = await startLab({ devices: [pixel({ faults: [gone] })] });
    const outcomes = await pullAll(optionsFor(lab, await tempFolder()));
    expect(outcomes).toMatchObject([{ status: 'failed', error: { code: 'DEVICE_LOST' } }]);
  });

  it('does not look again for a device that was never ready', async () => {
    const lab = await startLab({ devices: [pixel({ state: 'offline', user: 'root' })] });
    const outcomes = pullAll(optionsFor(lab, await tempFolder(), { settle: 100 }));
    setTimeout(() => lab.device('PIXEL').setState('device'), 400);
    expect(await outcomes).toMatchObject([{ status: 'failed', error: { code: 'DEVICE_OFFLINE' } }]);
  });

  it('waits for another process no longer than the time of the device', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const home = await tempFolder();
    const outcomes = await withLock(await openStore({ home }), 'device-PIXEL', () =>
      pullAll(optionsFor(lab, home, { device: 500 })),
    );
    expect(outcomes).toMatchObject([
      {
        status: 'failed',
        error: { code: 'TIMEOUT', message: expect.stringContaining('--timeout') as string },
      },
    ]);
  });
});

describe('a pull within the boot of the last one', () => {
  it('notes the serial under which the device is seen now', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const home = await tempFolder();
    await pullAll(optionsFor(lab, home));
    const base = { signal: new AbortController().signal, emit: () => undefined };
    await overDevices(optionsFor(lab, home), base, ({ listed, ...device }, context) =>
      pullHeaders({ ...device, listed: { ...listed, serial: '10.0.0.5:5555' } }, PULL, context),
    );
    const [workspace] = await findWorkspaces(await openStore({ home }), { serial: '10.0.0.5:5555' });
    expect(workspace?.record.device.serials).toEqual(['PIXEL', '10.0.0.5:5555']);
  });
});
