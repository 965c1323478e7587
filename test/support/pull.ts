import type { PulledHeaders } from '../../src/app/pull-headers';
import type { ErrorReport } from '../../src/core/errors';
import type { DeviceOutcome } from '../../src/core/outcome';
import type { Simulator } from '../../src/simulator/simulator';
import { kh, type KhOptions, type KhRun } from './kh';

/** `kh pull --json` in a lab. */
export function pull(
  lab: Simulator,
  flags: readonly string[] = [],
  options: Omit<KhOptions, 'lab'> = {},
): Promise<KhRun> {
  return kh(['pull', '--json', ...flags], { ...options, lab });
}

/** What the document of a pull says of each device, in its order. */
export function outcomesOf(run: KhRun): DeviceOutcome<PulledHeaders>[] {
  const { devices } = run.json() as { devices?: DeviceOutcome<PulledHeaders>[] };
  if (devices === undefined) throw new Error(`no devices in the document:\n${run.stdout}`);
  return devices;
}

/** What every device of a pull gave. @throws Error where one failed */
export function resultsOf(run: KhRun): PulledHeaders[] {
  return outcomesOf(run).map((outcome) => {
    if (outcome.status === 'failed') throw new Error(outcome.error.message);
    return outcome.result;
  });
}

/** What the only device of a pull gave. */
export function resultOf(run: KhRun): PulledHeaders {
  const results = resultsOf(run);
  expect(results).toHaveLength(1);
  return results[0]!;
}

/** Why each device of a run failed, in its order; or the run as a whole. @throws Error where a device was done */
export function errorsOf(run: KhRun): ErrorReport[] {
  const { error } = run.json() as { error?: ErrorReport };
  if (error !== undefined) return [error];
  return outcomesOf(run).map((outcome) => {
    if (outcome.status === 'ok') throw new Error(`${outcome.serial} was done`);
    return outcome.error;
  });
}

/** Why the only device of a run failed, or the run as a whole. */
export function errorOf(run: KhRun): ErrorReport {
  const errors = errorsOf(run);
  expect(errors).toHaveLength(1);
  return errors[0]!;
}
