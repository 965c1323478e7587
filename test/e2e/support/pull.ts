import type { PulledHeaders } from '../../../src/app/pull-headers';
import type { ErrorReport } from '../../../src/core/errors';
import { kh, type KhRun } from '../../support/kh';
import type { Guest } from './rig';

/** `kh pull --json` of one guest. */
export function pull(guest: Guest, home: string, ...flags: string[]): Promise<KhRun> {
  return kh(['pull', '-s', guest.serial, '--json', ...flags], { home, env: guest.env });
}

/** What the document says of the one device that was asked; `result` or `error`, as the test expects. */
export function onlyDevice(run: KhRun): { result: PulledHeaders; error: ErrorReport } {
  const { devices } = run.json() as { devices: { result: PulledHeaders; error: ErrorReport }[] };
  expect(devices).toHaveLength(1);
  return devices[0]!;
}
