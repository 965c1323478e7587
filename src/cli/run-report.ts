import { deviceName } from '../core/device-name';
import { errorReport, type ErrorReport, type KhError } from '../core/errors';
import type { KhEvent } from '../core/events';
import type { DeviceOutcome } from '../core/outcome';
import { replaceFile } from '../core/replace-file';
import type { Warning } from './envelope';
import { junitReport, type ReportCase } from './junit';

export type { ReportCase } from './junit';

/** The file of `--report`. */
export interface RunReport {
  /** Learns of a device what its result may not come to tell. */
  hear: (event: KhEvent) => void;
  /** Once, at the end of a run that did its work. @throws KhError STORE_* */
  write: (cases: ReportCase[], warnings: Warning[]) => void;
  /** Where the run failed as a whole, this is what the report says; a file that was written stays. */
  writeFailure: (error: KhError, warnings: Warning[]) => void;
}

/** @param command as it is typed: `kh pull` */
export function openReport(path: string, command: string): RunReport {
  const started = new Date();
  const heard = new Map<string, object>();
  let tried = false;
  const write: RunReport['write'] = (cases, warnings) => {
    tried = true;
    replaceFile(
      path,
      junitReport({
        name: command,
        started,
        milliseconds: Date.now() - started.getTime(),
        cases: cases.map((one) => ({ ...one, facts: { ...heard.get(one.name), ...one.facts } })),
        warnings: warnings.map(({ message }) => message),
      }),
    );
  };
  return {
    hear: (event) => {
      if (event.type !== 'kernel.identified') return;
      const { release, machine } = event;
      heard.set(deviceName(event), { release, machine });
    },
    write,
    writeFailure: (error, warnings) => {
      if (!tried) write([{ name: command, error: errorReport(error) }], warnings);
    },
  };
}

/** What came of the work on one device, for the report. */
export function outcomeCase(outcome: DeviceOutcome<unknown>): ReportCase {
  const { name, milliseconds } = outcome;
  if (outcome.status === 'failed') return { name, milliseconds, error: outcome.error };
  const { result } = outcome;
  return { name, milliseconds, facts: typeof result === 'object' && result !== null ? result : {} };
}

/** An adb server whose devices were not met, for the report. */
export function serverCase(error: ErrorReport): ReportCase {
  return { name: error.server ?? '', error };
}
