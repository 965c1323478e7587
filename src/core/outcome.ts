import type { ErrorReport } from './errors';

/** Which device an outcome is of. */
interface Whose {
  serial: string;
  /** The name of the adb server that it is attached to; absent for a device that is not there. */
  server?: string;
  /** The serial; `server/serial` where the run is over several servers. */
  name: string;
  milliseconds: number;
}

/** What came of the work on one device; a run over several gives one each, in the order asked. */
export type DeviceOutcome<T> = Whose &
  ({ status: 'ok'; result: T } | { status: 'failed'; error: ErrorReport });
