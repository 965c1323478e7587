import type { Emit } from './events';
import type { TimeLimits } from './limits';

/** What every piece of work that meets a device is handed: how to be stopped, how to report, how long to wait. */
export interface Work {
  signal: AbortSignal;
  emit: Emit;
  times: TimeLimits;
}
