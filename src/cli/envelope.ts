import { EXIT_CODES, errorReport, type ErrorReport, type KhError } from '../core/errors';
import type { DeviceOutcome } from '../core/outcome';

/** Something worth knowing that is no failure. */
export interface Warning {
  serial?: string;
  message: string;
}

/** How a run ended. `partial`: some devices done, some not. */
export interface RunStatus {
  status: 'ok' | 'partial' | 'failed';
  exitCode: number;
}

/** What a command did: for most its result, for those that work on devices an entry each. */
export type Body = { result: unknown } | { devices: unknown[] };

/**
 * The one document of `--json`: how the run ended, what came of it under
 * `result`, `devices` or `error`, and the warnings. docs/json.md describes it.
 */
export type Envelope<B = Body | { error: ErrorReport }> = RunStatus & { warnings: Warning[] } & B;

/** The document of a run that failed as a whole, whichever the command. */
export type FailureDocument = Envelope<{ error: ErrorReport }>;

/** The document of a command with one result. */
export type ResultDocument<T> = Envelope<{ result: T }>;

/** The document of a command that does the same on each of several devices. */
export type OutcomesDocument<T> = Envelope<{ devices: DeviceOutcome<T>[] }>;

/**
 * What came of the work on several devices, as one status. Where all failed,
 * each in its own way, the lowest code is the run's: codes rise along the way
 * from device to workspace, and a bug in kh (1) is never hidden.
 */
export function sumUp(outcomes: DeviceOutcome<unknown>[]): RunStatus {
  const failures = outcomes.flatMap((outcome) =>
    outcome.status === 'failed' ? [outcome.error.exitCode] : [],
  );
  if (failures.length === 0) return { status: 'ok', exitCode: 0 };
  if (failures.length < outcomes.length) return { status: 'partial', exitCode: EXIT_CODES.PARTIAL };
  return { status: 'failed', exitCode: Math.min(...failures) };
}

/** The document of a run that failed as a whole. */
export function failureEnvelope(error: KhError, warnings: Warning[]): FailureDocument {
  return { status: 'failed', exitCode: error.exitCode, error: errorReport(error), warnings };
}
