import { devicePaths } from '../../../../src/cli/text/pulled';
import type { DeviceOutcome } from '../../../../src/core/outcome';

const done = (serial: string): DeviceOutcome<{ workspace: string }> => ({
  serial,
  name: serial,
  status: 'ok',
  milliseconds: 1,
  result: { workspace: `/kh/${serial}` },
});
const failed: DeviceOutcome<{ workspace: string }> = {
  serial: 'F',
  name: 'F',
  status: 'failed',
  milliseconds: 1,
  error: { code: 'DEVICE_LOST', exitCode: 4, message: 'lost' },
};

const workspaceOf = ({ workspace }: { workspace: string }) => workspace;

describe('what kh pull prints', () => {
  it('is the path alone, for $(kh pull)', () => {
    expect(devicePaths([done('A')], { all: false }, workspaceOf)).toBe('/kh/A\n');
    expect(devicePaths([done('A')], { all: false, serial: ['A'] }, workspaceOf)).toBe('/kh/A\n');
  });

  it('has the serial in front where several devices were asked for', () => {
    const lines = 'A\t/kh/A\nB\t/kh/B\n';
    expect(devicePaths([done('A'), done('B')], { all: false, serial: ['A', 'B'] }, workspaceOf)).toBe(lines);
  });

  it('keeps that form when --all meets only one device', () => {
    expect(devicePaths([done('A')], { all: true }, workspaceOf)).toBe('A\t/kh/A\n');
  });

  it('leaves out what failed', () => {
    expect(devicePaths([failed, done('A')], { all: true }, workspaceOf)).toBe('A\t/kh/A\n');
    expect(devicePaths<{ workspace: string }>([failed], { all: false }, workspaceOf)).toBe('');
  });
});
