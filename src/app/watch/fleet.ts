import type { ListedDevice } from '../../adb/device-list';
import {
  firstSight,
  isSettled,
  step,
  type DeviceCourse,
  type Happening,
  type Saying,
  type Step,
  type WatchPolicy,
} from './device-course';
import type { ErrorReport } from '../../core/errors';

/** A device of a fleet, as adb has it now. */
export interface Member {
  /** Tells it from all others, and stays when it is connected anew at the same place. */
  readonly key: string;
  /** The adb server that it is at. */
  readonly server: string;
  readonly listed: ListedDevice;
}

/** All devices that are watched, at all servers. Times are milliseconds of any steady clock. */
export interface Fleet {
  /** What a server lists, whole. */
  list(server: string, listed: readonly ListedDevice[], now: number): void;
  serverLost(server: string, now: number): void;
  /** Moves on whatever time moves on. */
  elapse(now: number): void;
  /** When `elapse` has something to do; Infinity where it has not. */
  nextDue(): number;
  /** The device whose turn it is at a server with room; it is being pulled from then on, until `ended`. */
  begin(now: number, hasRoom?: (server: string) => boolean): Member | undefined;
  /** A pull is over: well, or with an error. */
  ended(key: string, error: ErrorReport | undefined, now: number): void;
  /** Whether every device has been done or given up. */
  settled(): boolean;
  /** How many are known. */
  readonly size: number;
}

/** @param tell is told what is to be said of a device, in the order it happens */
export function createFleet(policy: WatchPolicy, tell: (member: Member, saying: Saying) => void): Fleet {
  const members = new Map<string, Entry>();
  const queue = new Set<string>();

  const apply = (entry: Entry, { course, said }: Step) => {
    const { key, server } = entry;
    entry.course = course;
    if (course.phase === 'queued') queue.add(key);
    else queue.delete(key);
    for (const saying of said) {
      if (saying.type === 'forgotten') members.delete(key);
      tell({ key, server, listed: course.listed }, saying);
    }
  };
  const happen = (entry: Entry, happening: Happening, now: number) =>
    apply(entry, step(entry.course, happening, now, policy));
  const meet = ({ key, server, listed }: Member, now: number) => {
    const first = firstSight(listed, now, policy);
    const entry = { key, server, course: first.course };
    members.set(key, entry);
    apply(entry, first);
  };
  const ofServer = (server: string) => [...members.values()].filter((entry) => entry.server === server);

  return {
    list: (server, listed, now) => {
      const keyed = keysOf(server, listed);
      for (const entry of ofServer(server)) {
        if (!keyed.has(entry.key)) happen(entry, { type: 'unlisted' }, now);
      }
      for (const [key, device] of keyed) {
        const known = members.get(key);
        if (known !== undefined) happen(known, { type: 'listed', listed: device }, now);
        else meet({ key, server, listed: device }, now);
      }
    },
    serverLost: (server, now) => {
      for (const entry of ofServer(server)) happen(entry, { type: 'server-lost' }, now);
    },
    elapse: (now) => {
      for (const entry of [...members.values()]) {
        if (entry.course.dueAt <= now) happen(entry, { type: 'elapsed' }, now);
      }
    },
    nextDue: () => Math.min(Infinity, ...[...members.values()].map(({ course }) => course.dueAt)),
    begin: (now, hasRoom = () => true) => {
      const entry = [...queue].map((key) => members.get(key)).find((one) => one && hasRoom(one.server));
      if (entry === undefined) return undefined;
      happen(entry, { type: 'started' }, now);
      return { key: entry.key, server: entry.server, listed: entry.course.listed };
    },
    ended: (key, error, now) => {
      const entry = members.get(key);
      if (entry !== undefined) happen(entry, error ? { type: 'failed', error } : { type: 'succeeded' }, now);
    },
    settled: () => [...members.values()].every(({ course }) => isSettled(course)),
    get size() {
      return members.size;
    },
  };
}

interface Entry {
  readonly key: string;
  readonly server: string;
  course: DeviceCourse;
}

/**
 * A device is known by its serial and its port: some vendors give one serial
 * to all. Two that share even that are told apart by their transports.
 */
function keysOf(server: string, listed: readonly ListedDevice[]): Map<string, ListedDevice> {
  const places = listed.map(({ serial, devpath = '' }) => JSON.stringify([server, serial, devpath]));
  return new Map(
    listed.map((device, index) => {
      const place = places[index] ?? '';
      const shared = places.indexOf(place) !== places.lastIndexOf(place);
      return [shared ? `${place}#${device.transportId ?? index}` : place, device];
    }),
  );
}
