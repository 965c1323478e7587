import { runOptions, type DeviceFlags } from '../../../../src/cli/flags/device-flags';
import { TIME_LIMITS } from '../../../../src/core/limits';

const none: DeviceFlags = {
  serial: undefined,
  all: false,
  exclude: undefined,
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

  it('hand over only what was said of the server, so that the environment can fill the rest', () => {
    expect(runOptions(none, {}).server).toEqual({});
    expect(runOptions({ ...none, 'adb-host': 'lab', 'adb-port': 5038 }, {}).server).toEqual({
      host: 'lab',
      port: 5038,
    });
  });

  it('bound each device by --timeout, and leave the other limits alone', () => {
    expect(runOptions(none, {}).times).toEqual(TIME_LIMITS);
    expect(runOptions({ ...none, timeout: 5_000 }, {}).times).toEqual({ ...TIME_LIMITS, device: 5_000 });
  });
});
