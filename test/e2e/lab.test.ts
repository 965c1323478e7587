import { join } from 'node:path';
import type { PulledHeaders } from '../../src/app/pull-headers';
import type { ServerReport } from '../../src/app/lab/reach-lab';
import type { DeviceOutcome } from '../../src/core/outcome';
import { kh } from '../support/kh';
import { cuttlefish, modulePhone, pixel, startLab } from '../support/lab';
import { stagingLeftovers, storeTrees, storeWorkspaces } from '../support/store-contents';
import { tempFolder } from '../support/temp-folder';
import { differencesFromTar } from './support/reference-tree';
import { archiveMd5, bootGuest, describeOnRig, stopAdbServer, type Guest } from './support/rig';

const KERNELS = ['arm64-6.1', 'arm64-6.12'] as const;

afterAll(stopAdbServer);

describeOnRig('two real kernels and sixteen simulated devices, at an adb server each', () => {
  const guests: Guest[] = [];
  beforeAll(async () => {
    for (const [number, kernel] of KERNELS.entries()) {
      guests.push(await bootGuest({ kernel, serialno: `KHLAB000${number}` }));
    }
  });
  afterAll(async () => {
    for (const guest of guests) await guest[Symbol.asyncDispose]();
  });

  it('are pulled from in one run, each with its own headers', async () => {
    const lab = await startLab({
      devices: [
        pixel({ serial: 'PIXEL-#', count: 6 }),
        modulePhone({ serial: 'MODULE-#', count: 5 }),
        cuttlefish({ serial: 'CUTTLEFISH-#', count: 5 }),
      ],
    });
    const real = `127.0.0.1:${guests[0]?.env['ANDROID_ADB_SERVER_PORT'] ?? ''}`;
    const home = await tempFolder();
    const command = ['pull', '--all', '--json', '-H', real, '-H', lab.address];
    const run = await kh(command, { home, timeoutMs: 300_000 });
    expect(run).toExitWith(0);
    const { devices, servers } = run.json() as {
      devices: DeviceOutcome<PulledHeaders>[];
      servers: ServerReport[];
    };
    expect(servers).toMatchObject([
      { name: real, state: 'ok', devices: 2 },
      { name: lab.address, state: 'ok', devices: 16 },
    ]);
    const results = new Map(
      devices.flatMap((one) => (one.status === 'ok' ? [[one.name, one.result] as const] : [])),
    );
    expect(results.size).toBe(18);
    for (const [number, { serial }] of guests.entries()) {
      const result = results.get(`${real}/${serial}`);
      expect(result).toMatchObject({ device: `KHLAB000${number}`, md5: archiveMd5(KERNELS[number]!) });
      const archive = join(home, 'v1', 'archives', `${result?.sha256 ?? ''}.tar.xz`);
      expect(differencesFromTar(archive, `${result?.headers ?? ''}/`, join(home, 'reference'))).toBe('');
    }
    for (const { serial, kernel } of lab.devices) {
      expect(results.get(`${lab.address}/${serial}`)?.release).toBe(kernel.release);
    }
    expect(await storeTrees(home)).toHaveLength(5);
    expect(await storeWorkspaces(home)).toHaveLength(18);
    expect(await stagingLeftovers(home)).toEqual([]);
    expect(lab.devices.flatMap((device) => device.modules())).toEqual([]);
    expect(await guests[1]?.adb('shell', 'cat /proc/modules')).not.toMatch(/^kheaders /m);
  });
});
