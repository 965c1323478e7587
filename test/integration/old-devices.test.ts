import type { DeviceDescription } from '../../src/simulator/lab/lab-description';
import { modulePhone, pixel, startLab } from '../support/lab';
import { errorOf, pull, resultOf } from '../support/pull';

const OLD: [string, Partial<DeviceDescription>][] = [
  ['without shell_v2 and stat_v2', { features: [] }],
  ['with shell_v2 only', { features: ['shell_v2'] }],
  ['with stat_v2 only', { features: ['stat_v2'] }],
  ['of Android 6, whose shell ends lines by CR LF', { sdk: 23, android: '6.0' }],
];

describe.each(OLD)('kh pull from a device %s', (_, old) => {
  it('pulls headers that are built in, and checks them against the device', async () => {
    const lab = await startLab({ devices: [pixel(old)] });
    const run = await pull(lab);
    expect(run).toExitWith(0);
    expect(resultOf(run).verdict.checks).toEqual(expect.arrayContaining(['size', 'device-md5', 'release']));
  });

  it('pulls headers in a module by su, and unloads it', async () => {
    const lab = await startLab({ devices: [modulePhone({ adbRoot: 'refused', ...old })] });
    const run = await pull(lab);
    expect(run).toExitWith(0);
    expect(resultOf(run)).toMatchObject({ privilege: 'su', origin: 'module' });
    expect(lab.device('MODULE').modules()).toEqual([]);
  });

  it('tells denied from absent', async () => {
    const lab = await startLab({
      devices: [
        pixel({ serial: 'DENIED', headers: { kind: 'denied' }, ...old }),
        pixel({ serial: 'BARE', headers: { kind: 'absent' }, ...old }),
      ],
    });
    expect(errorOf(await pull(lab, ['-s', 'DENIED'])).code).toBe('HEADERS_DENIED');
    expect(errorOf(await pull(lab, ['-s', 'BARE'])).code).toBe('HEADERS_ABSENT');
  });
});

describe('kh pull from a device without md5sum', () => {
  it('does not claim to have compared it, and transfers again after a reboot', async () => {
    const lab = await startLab({ devices: [pixel({ md5sum: false })] });
    const first = await pull(lab);
    expect(first).toExitWith(0);
    expect(resultOf(first).verdict.checks).not.toContain('device-md5');
    expect(resultOf(await pull(lab, [], { home: first.home })).knownBy).toBe('same-boot');
    const rebooted = await startLab({ devices: [pixel({ md5sum: false })] });
    const again = await pull(rebooted, [], { home: first.home });
    expect(again).toExitWith(0);
    expect(resultOf(again).transferred).toBe(true);
  });
});

describe('kh pull after a reboot', () => {
  it('transfers nothing where the device computes the same md5', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const first = await pull(lab);
    const rebooted = await startLab({ devices: [pixel()] });
    const again = await pull(rebooted, [], { home: first.home });
    expect(again).toExitWith(0);
    expect(resultOf(again)).toMatchObject({ transferred: false, knownBy: 'device-md5' });
  });
});

describe('kh pull through an adb server of before transport ids', () => {
  it('works the same', async () => {
    const lab = await startLab({ adb: { version: 40, features: [] }, devices: [pixel()] });
    expect(await pull(lab)).toExitWith(0);
  });
});
