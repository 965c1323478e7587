import { runOptions, type DeviceFlags } from '../../../../src/cli/flags/device-flags';
import { TIME_LIMITS } from '../../../../src/core/limits';

const none: DeviceFlags = {
  serial: undefined,
  all: false,
  exclude: undefined,
  lab: undefined,
  'adb-host': undefined,
  'adb-port': undefined,
  timeout: undefined,
  jobs: 8,
};

describe('the device flags', () => {
  it('take ANDROID_SERIAL where nothing is chosen', () => {
    expect(runOptions(none, { ANDROID_SERIAL: 'A' }).selection).toEqual({
      serials: ['A'],
      all: false,
      exclude: [],
    });
  });

  it.each([
    ['-s', { ...none, serial: ['B'] }, ['B']],
    ['--all', { ...none, all: true }, []],
  ])('prefer %s to ANDROID_SERIAL', (_flag, flags, serials) => {
    expect(runOptions(flags, { ANDROID_SERIAL: 'A' }).selection.serials).toEqual(serials);
  });

  it('take an empty ANDROID_SERIAL for none, as adb does', () => {
    expect(runOptions(none, { ANDROID_SERIAL: '' }).selection.serials).toEqual([]);
  });

  it.each([
    ['the flags', { ...none, 'adb-host': ['here'] }, { ANDROID_ADB_SERVER_PORT: '6' }, ['here:6']],
    ['the environment', none, { ADB_SERVER_SOCKET: 'tcp:there:7' }, ['there:7']],
    ['the lab file', none, { ANDROID_ADB_SERVER_ADDRESS: '' }, ['rack1', 'rack2:5038']],
  ])('take the adb servers of %s', (_source, flags, env, names) => {
    const servers = [
      { name: 'rack1', host: 'r1' },
      { host: 'rack2', port: 5038 },
    ];
    const options = runOptions(flags, env, { path: '/lab/kh.lab.json', servers, times: {} });
    expect(options.servers.map(({ name }) => name)).toEqual(names);
  });

  it('take the devices of the lab file, and leave out its and their own exclusions', () => {
    const lab = { path: '/lab/kh.lab.json', devices: ['model:Pixel_8'], exclude: ['MINE'], times: {} };
    const { selection } = runOptions({ ...none, all: true, exclude: ['A'] }, {}, lab);
    expect(selection).toEqual({ serials: [], all: true, exclude: ['A', 'MINE'], only: ['model:Pixel_8'] });
  });

  it('let -s and ANDROID_SERIAL name a device that the lab file excludes', () => {
    const lab = { path: '/lab/kh.lab.json', exclude: ['MINE'], times: {} };
    expect(runOptions({ ...none, serial: ['MINE'] }, {}, lab).selection.exclude).toEqual([]);
    expect(runOptions(none, { ANDROID_SERIAL: 'MINE' }, lab).selection.exclude).toEqual([]);
  });

  it('bound each device by --timeout, and leave the other limits alone', () => {
    expect(runOptions(none, {}).times).toEqual(TIME_LIMITS);
    expect(runOptions({ ...none, timeout: 5_000 }, {}).times).toEqual({ ...TIME_LIMITS, device: 5_000 });
    const lab = { path: '/lab/kh.lab.json', times: { device: 7_000, connect: 1_000 } };
    expect(runOptions(none, {}, lab).times).toEqual({ ...TIME_LIMITS, device: 7_000, connect: 1_000 });
    expect(runOptions({ ...none, timeout: 5_000 }, {}, lab).times.device).toBe(5_000);
  });
});
