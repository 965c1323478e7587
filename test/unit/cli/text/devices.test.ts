import type { DeviceDescription } from '../../../../src/app/describe-devices';
import { devicesTable } from '../../../../src/cli/text/devices';
import { palette } from '../../../../src/ui/colour';

const pixel: DeviceDescription = {
  serial: '0A041',
  server: 'localhost:5037',
  name: '0A041',
  state: 'device',
  model: 'Pixel 8',
  android: '14',
  release: '6.1.99-android14',
  machine: 'aarch64',
  headers: { status: 'module-loaded', path: '/sys/kernel/kheaders.tar.xz' },
  workspace: { state: 'current', path: '/kh/0A041' },
};

describe('the table of devices', () => {
  it('shows kernel, headers and workspace on one line', () => {
    expect(devicesTable([pixel], palette(false))).toBe(
      [
        'SERIAL  STATE   MODEL    ANDROID  KERNEL            HEADERS          WORKSPACE',
        '0A041   device  Pixel 8  14       6.1.99-android14  module (loaded)  current',
        '',
      ].join('\n'),
    );
  });

  it('shows a device that cannot be asked, with what adb says of it', () => {
    const text = devicesTable(
      [
        pixel,
        {
          serial: 'B',
          name: 'B',
          server: 'localhost:5037',
          state: 'no permissions',
          note: 'user in plugdev group',
        },
      ],
      palette(false),
    );
    const [head, , line] = text.split('\n');
    expect(head).toMatch(/WORKSPACE {2}NOTE$/);
    expect(line).toMatch(/^B +no permissions( +-){5} +user in plugdev group$/);
  });

  it('shows why a device could not be looked at, without its serial a second time', () => {
    const error = { code: 'TIMEOUT', exitCode: 9, message: 'rack1/C: timed out after 30 s' } as const;
    const hung = { serial: 'C', server: 'rack1', name: 'rack1/C', state: 'device', error };
    expect(devicesTable([hung], palette(false))).toMatch(/ {2}timed out after 30 s\n$/);
  });

  it('shows the server of each device where there are several', () => {
    const elsewhere = { ...pixel, server: 'rack2', name: 'rack2/0A041' };
    const text = devicesTable(
      [{ ...pixel, server: 'rack1', name: 'rack1/0A041' }, elsewhere],
      palette(false),
    );
    const [head, one, two] = text.split('\n');
    expect(head).toMatch(/^SERVER +SERIAL +STATE/);
    expect(one).toMatch(/^rack1 +0A041 +device/);
    expect(two).toMatch(/^rack2 +0A041 +device/);
  });
});
