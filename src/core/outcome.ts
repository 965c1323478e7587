import type { ErrorReport } from './errors';

/** What came of the work on one device; a run over several gives one each, in the order asked. */
export type DeviceOutcome<T> =
  | { serial: string; status: 'ok'; milliseconds: number; result: T }
  | { serial: string; status: 'failed'; milliseconds: number; error: ErrorReport };
