import type { DeviceDescription } from '../../../../src/app/describe-devices';
import { devicesTable } from '../../../../src/cli/text/devices';
import { palette } from '../../../../src/ui/colour';

const pixel: DeviceDescription = {
  serial: '0A041',
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
      [pixel, { serial: 'B', state: 'no permissions', note: 'user in plugdev group' }],
      palette(false),
    );
    const [head, , line] = text.split('\n');
    expect(head).toMatch(/WORKSPACE {2}NOTE$/);
    expect(line).toMatch(/^B +no permissions( +-){5} +user in plugdev group$/);
  });

  it('shows why a device could not be looked at, without its serial a second time', () => {
    const error = { code: 'TIMEOUT', exitCode: 9, message: 'C: timed out after 30 s' } as const;
    const text = devicesTable([{ serial: 'C', state: 'device', error }], palette(false));
    expect(text).toMatch(/ {2}timed out after 30 s\n$/);
  });
});
