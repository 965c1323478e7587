import { workspacePaths } from '../../../../src/cli/text/pulled';
import type { DeviceOutcome } from '../../../../src/core/outcome';

const done = (serial: string): DeviceOutcome<{ workspace: string }> => ({
  serial,
  status: 'ok',
  milliseconds: 1,
  result: { workspace: `/kh/${serial}` },
});
const failed: DeviceOutcome<{ workspace: string }> = {
  serial: 'F',
  status: 'failed',
  milliseconds: 1,
  error: { code: 'DEVICE_LOST', exitCode: 4, message: 'lost' },
};

describe('what kh pull prints', () => {
  it('is the path alone, for $(kh pull)', () => {
    expect(workspacePaths([done('A')], { all: false })).toBe('/kh/A\n');
    expect(workspacePaths([done('A')], { all: false, serial: ['A'] })).toBe('/kh/A\n');
  });

  it('has the serial in front where several devices were asked for', () => {
    const lines = 'A\t/kh/A\nB\t/kh/B\n';
    expect(workspacePaths([done('A'), done('B')], { all: false, serial: ['A', 'B'] })).toBe(lines);
  });

  it('keeps that form when --all meets only one device', () => {
    expect(workspacePaths([done('A')], { all: true })).toBe('A\t/kh/A\n');
  });

  it('leaves out what failed', () => {
    expect(workspacePaths([failed, done('A')], { all: true })).toBe('A\t/kh/A\n');
    expect(workspacePaths([failed], { all: false })).toBe('');
  });
});
