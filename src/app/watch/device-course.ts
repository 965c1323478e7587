import { settlingTime } from '../../adb/await-ready';
import type { ListedDevice } from '../../adb/device-list';
import { stateError } from '../../adb/device-state';
import { errorReport, type ErrorCode, type ErrorReport } from '../../core/errors';

/** How patient a watch is; all but `attempts` in milliseconds. */
export interface WatchPolicy {
  /** A device that has just come is left alone for so long; doubled up to `longestCalm` for one that comes and goes. */
  calm: number;
  longestCalm: number;
  /** Coming back within so long counts as coming and going. */
  flapWithin: number;
  /** For a device to settle that is offline, connecting or authorizing. */
  settle: number;
  /** After the first failure; doubled with each further one, up to `longestRetry`. */
  firstRetry: number;
  longestRetry: number;
  /** So many pulls may fail before a device is given up; Infinity for a watch without end. */
  attempts: number;
  /** A device that is back so soon was never gone, for whoever reads the events. */
  goneAfter: number;
  /** After this nothing is known any more of a device that is gone. */
  forgetAfter: number;
}

/**
 * - `unready`: listed in a state in which no shell runs; it may settle
 * - `unusable`: it did not, and that has been told
 * - `calming`: ready, but just so
 * - `queued`: waits for its turn
 * - `pulling`
 * - `done`
 * - `retrying`: failed, and waits for the next attempt
 * - `given-up`: failed too often
 * - `away`: not listed
 */
export type Phase =
  'unready' | 'unusable' | 'calming' | 'queued' | 'pulling' | 'done' | 'retrying' | 'given-up' | 'away';

/** What a watch knows of one device. */
export interface DeviceCourse {
  readonly phase: Phase;
  /** As it is in the list now, or was last. */
  readonly listed: ListedDevice;
  readonly present: boolean;
  /** When time alone moves it on; Infinity where it does not. */
  readonly dueAt: number;
  /** While it is not present: when that is told. */
  readonly goneAt: number;
  /** Whether its coming was told, and its going was not. */
  readonly announced: boolean;
  /** The list changed for it since its pull began: what the pull says may be of another boot. */
  readonly disturbed: boolean;
  readonly readyAt: number;
  /** How often it has come back soon. */
  readonly flaps: number;
  /** Pulls that failed since it came. */
  readonly failures: number;
  /** Pulls that failed since one was done. */
  readonly attempts: number;
  /** What has been told of it: the same again is no news. */
  readonly told: readonly ErrorCode[];
}

/** What can happen to a device. */
export type Happening =
  | { type: 'listed'; listed: ListedDevice }
  | { type: 'unlisted' }
  /** Its adb server is gone: nobody knows about the device. */
  | { type: 'server-lost' }
  | { type: 'started' }
  | { type: 'succeeded' }
  | { type: 'failed'; error: ErrorReport }
  | { type: 'elapsed' };

/** What is to be told of it. */
export type Saying =
  | { type: 'appeared' }
  | { type: 'vanished' }
  | { type: 'unusable'; error: ErrorReport; news: boolean }
  | { type: 'failed'; error: ErrorReport; attempt: number; retryInMilliseconds?: number; news: boolean }
  | { type: 'forgotten' };

export interface Step {
  course: DeviceCourse;
  said: Saying[];
}

/** A device that is listed for the first time. */
export function firstSight(listed: ListedDevice, now: number, policy: WatchPolicy): Step {
  const course: DeviceCourse = {
    phase: 'away',
    listed,
    present: false,
    dueAt: Infinity,
    goneAt: Infinity,
    announced: false,
    disturbed: false,
    readyAt: -Infinity,
    flaps: 0,
    failures: 0,
    attempts: 0,
    told: [],
  };
  return onListed(course, listed, now, policy);
}

/**
 * The course of a device after one more happening.
 *
 * @param now milliseconds of any steady clock
 */
export function step(course: DeviceCourse, happening: Happening, now: number, policy: WatchPolicy): Step {
  switch (happening.type) {
    case 'listed':
      return onListed(course, happening.listed, now, policy);
    case 'unlisted':
      return silent(leave(course, now + policy.goneAfter));
    case 'server-lost':
      return silent(leave(course, Infinity));
    case 'started':
      return silent({ ...course, phase: 'pulling', dueAt: Infinity, disturbed: false });
    case 'succeeded':
      return onSucceeded(course, now, policy);
    case 'failed':
      return onFailed(course, happening.error, now, policy);
    case 'elapsed':
      return onElapsed(course, now, policy);
  }
}

/** Whether nothing more is to be expected of a device, as it is now. */
export function isSettled({ phase, announced }: DeviceCourse): boolean {
  return ['done', 'given-up', 'unusable'].includes(phase) || (phase === 'away' && !announced);
}

function silent(course: DeviceCourse): Step {
  return { course, said: [] };
}

function onListed(course: DeviceCourse, listed: ListedDevice, now: number, policy: WatchPolicy): Step {
  const { present, listed: before } = course;
  const same = present && listed.transportId === before.transportId && listed.state === before.state;
  if (same) return silent({ ...course, listed });
  const here = { ...course, listed, present: true, goneAt: Infinity };
  if (course.phase === 'pulling') return silent({ ...here, disturbed: true });
  if (course.announced) return silent(settleIn(here, now, policy));
  const arrived = settleIn({ ...here, announced: true, told: [] }, now, policy);
  return { course: arrived, said: [{ type: 'appeared' }] };
}

/** Begins anew with a device as it is listed now. */
function settleIn(course: DeviceCourse, now: number, policy: WatchPolicy): DeviceCourse {
  const { state } = course.listed;
  const anew = { ...course, failures: 0, disturbed: false };
  if (state !== 'device')
    return { ...anew, phase: 'unready', dueAt: now + settlingTime(state, policy.settle) };
  const flaps = now - course.readyAt < policy.flapWithin ? course.flaps + 1 : 0;
  const calm = Math.min(policy.calm * 2 ** flaps, policy.longestCalm);
  return { ...anew, phase: 'calming', dueAt: now + calm, readyAt: now, flaps };
}

function leave(course: DeviceCourse, goneAt: number): DeviceCourse {
  // A server that comes back without the device makes a going of what was only unknown.
  if (!course.present && course.goneAt !== Infinity) return course;
  if (course.phase === 'pulling') return { ...course, present: false, goneAt, disturbed: true };
  if (course.phase === 'away' && !course.announced) return course;
  return { ...course, phase: 'away', present: false, goneAt, dueAt: goneAt };
}

function onSucceeded(course: DeviceCourse, now: number, policy: WatchPolicy): Step {
  const clean = { ...course, failures: 0, attempts: 0, told: [] };
  if (!course.present) return silent({ ...clean, phase: 'away', dueAt: course.goneAt });
  if (course.disturbed) return silent(settleIn(clean, now, policy));
  return silent({ ...clean, phase: 'done', dueAt: Infinity });
}

function onFailed(course: DeviceCourse, error: ErrorReport, now: number, policy: WatchPolicy): Step {
  const failures = course.failures + 1;
  const attempts = course.attempts + 1;
  const tried = { ...course, failures, attempts, told: withCode(course.told, error.code) };
  const isNew = !course.told.includes(error.code);
  const failed = (rest: { retryInMilliseconds?: number } = {}, news = isNew): Saying[] => [
    { type: 'failed', error, attempt: attempts, ...rest, news },
  ];
  if (!course.present) {
    return { course: { ...tried, phase: 'away', dueAt: course.goneAt }, said: failed() };
  }
  if (attempts >= policy.attempts || (policy.attempts !== Infinity && isLasting(error))) {
    return { course: { ...tried, phase: 'given-up', dueAt: Infinity }, said: failed() };
  }
  if (course.disturbed) {
    const again = settleIn(tried, now, policy);
    return { course: again, said: failed({ retryInMilliseconds: again.dueAt - now }) };
  }
  const pause = retryPause(error, failures, policy);
  const slowest = pause === policy.longestRetry && retryPause(error, failures - 1, policy) < pause;
  return {
    course: { ...tried, phase: 'retrying', dueAt: now + pause },
    said: failed({ retryInMilliseconds: pause }, isNew || slowest),
  };
}

function withCode(told: readonly ErrorCode[], code: ErrorCode): readonly ErrorCode[] {
  return told.includes(code) ? told : [...told, code];
}

function retryPause(error: ErrorReport, failures: number, policy: WatchPolicy): number {
  if (isLasting(error)) return policy.longestRetry;
  return Math.min(policy.firstRetry * 2 ** (failures - 1), policy.longestRetry);
}

/** What the device will not give before somebody changes it. Asking may pop up su's question on its screen, too. */
function isLasting({ code }: ErrorReport): boolean {
  return code === 'HEADERS_ABSENT' || code === 'HEADERS_DENIED' || code === 'HEADERS_MODULE_UNLOADABLE';
}

function onElapsed(course: DeviceCourse, now: number, policy: WatchPolicy): Step {
  switch (course.phase) {
    case 'calming':
    case 'retrying':
      return silent({ ...course, phase: 'queued', dueAt: Infinity });
    case 'unready': {
      const error = errorReport(stateError(course.listed));
      const news = !course.told.includes(error.code);
      const told = withCode(course.told, error.code);
      return {
        course: { ...course, phase: 'unusable', dueAt: Infinity, told },
        said: [{ type: 'unusable', error, news }],
      };
    }
    case 'away':
      return course.announced
        ? {
            course: { ...course, announced: false, dueAt: now + policy.forgetAfter },
            said: [{ type: 'vanished' }],
          }
        : { course: { ...course, dueAt: Infinity }, said: [{ type: 'forgotten' }] };
    case 'unusable':
    case 'queued':
    case 'pulling':
    case 'done':
    case 'given-up':
      return silent(course);
  }
}
