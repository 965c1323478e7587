import { EXIT_CODES, errorReport, type ErrorReport, type KhError } from '../core/errors';
import type { ServerReport } from '../app/lab/reach-lab';
import type { DeviceOutcome } from '../core/outcome';

/** Something worth knowing that is no failure. */
export interface Warning {
  serial?: string;
  /** The adb server that it is about, or that the device is at: where the run is over several. */
  server?: string;
  message: string;
}

/** A warning as the document has it. */
export function warningOf({ serial, server, message }: Warning): Warning {
  return {
    ...(serial === undefined ? {} : { serial }),
    ...(server === undefined ? {} : { server }),
    message,
  };
}

/** How a run ended. `partial`: some devices done, some not. */
export interface RunStatus {
  status: 'ok' | 'partial' | 'failed';
  exitCode: number;
}

/** What a command did: for most its result, for those that work on devices an entry each. */
export type Body = { result: unknown } | { devices: unknown[]; servers: ServerReport[] };

/**
 * The one document of `--json`: how the run ended, what came of it under
 * `result`, `devices` or `error`, and the warnings. docs/json.md describes it.
 */
export type Envelope<B = Body | { error: ErrorReport }> = RunStatus & { warnings: Warning[] } & B;

/** The document of a run that failed as a whole, whichever the command. */
export type FailureDocument = Envelope<{ error: ErrorReport }>;

/** The document of a command with one result. */
export type ResultDocument<T> = Envelope<{ result: T }>;

/** The document of a command that meets devices, each with an entry, and the adb servers that it asked for them. */
export type DevicesDocument<Entry> = Envelope<{ devices: Entry[]; servers: ServerReport[] }>;

/** The document of a command that does the same on each of several devices. */
export type OutcomesDocument<T> = DevicesDocument<DeviceOutcome<T>>;

/**
 * What came of the work on several devices, as one status. Where all failed,
 * each in its own way, the lowest code is the run's: codes rise along the way
 * from device to workspace, and a bug in kh (1) is never hidden.
 *
 * @param missed what failed besides: servers whose devices were not met
 */
export function sumUp(outcomes: DeviceOutcome<unknown>[], missed: ErrorReport[] = []): RunStatus {
  const failed = outcomes.flatMap((outcome) => (outcome.status === 'failed' ? [outcome.error] : []));
  const failures = [...failed, ...missed];
  if (failures.length === 0) return { status: 'ok', exitCode: 0 };
  if (failed.length < outcomes.length) return { status: 'partial', exitCode: EXIT_CODES.PARTIAL };
  return { status: 'failed', exitCode: Math.min(...failures.map(({ exitCode }) => exitCode)) };
}

/** The document of a run that failed as a whole. */
export function failureEnvelope(error: KhError, warnings: Warning[]): FailureDocument {
  return { status: 'failed', exitCode: error.exitCode, error: errorReport(error), warnings };
}
