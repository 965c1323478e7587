import type { TimeLimits } from '../../core/limits';
import type { WatchPolicy } from './device-course';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** The patience of a watch, endless or with an end; docs/watch.md has the same figures. */
export function watchPolicy({ settle }: TimeLimits, once: boolean): WatchPolicy {
  return {
    calm: 300,
    longestCalm: 10 * SECOND,
    flapWithin: MINUTE,
    settle,
    firstRetry: 2 * SECOND,
    longestRetry: 15 * MINUTE,
    attempts: once ? 3 : Infinity,
    goneAfter: once ? settle : 2 * SECOND,
    forgetAfter: 60 * MINUTE,
  };
}

/** How long a server is waited for; all but `attempts` in milliseconds. */
export function serverPatience(once: boolean) {
  return {
    livenessInterval: 30 * SECOND,
    attempts: once ? 4 : Infinity,
    firstPause: 500,
    longestPause: 30 * SECOND,
  };
}
