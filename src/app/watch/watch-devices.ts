import { setMaxListeners } from 'node:events';
import type { AdbServer } from '../../adb/adb-server';
import type { ListedDevice } from '../../adb/device-list';
import { describeAddress } from '../../adb/server-address';
import { errorReport, type KhError } from '../../core/errors';
import { ARCHIVE_LIMITS } from '../../core/limits';
import type { Store } from '../../store/layout';
import type { LabServer } from '../lab/lab-servers';
import { inLab, type LabDevice } from '../lab/reach-lab';
import { openHome } from '../open-home';
import type { RunOptions } from '../over-devices';
import type { PulledHeaders, PullOptions } from '../pull-headers';
import { candidatesOf, isMeant, type DeviceSelection } from '../select-devices';
import { khVersion } from '../version';
import type { Saying, WatchPolicy } from './device-course';
import type { DeviceQueue } from './device-queue';
import { createFleet, type Fleet, type Member } from './fleet';
import { followServer } from './follow-server';
import { createOutcomes, type Outcomes, type WatchResult } from './outcomes';
import { pullMember } from './pull-member';
import { createReadyCommands, type ReadyItem } from './ready-commands';
import { createReadyPlaces, type ReadyPlaces } from './readiness';
import type { Tell } from './watch-events';
import { serverPatience, watchPolicy } from './watch-policy';

/** Where the selection names no serial, all devices are meant; `jobs` counts over all servers. */
export interface WatchOptions extends RunOptions {
  pull: PullOptions;
  /** End when every device that is present has been done or given up. */
  once: boolean;
  /** For `sh -c`, once for each workspace that is ready; and the milliseconds that it may take. */
  exec?: { command: string; timeout: number };
  /** Tell the steps of each pull, too. */
  verbose: boolean;
  /** Where it differs from `watchPolicy`. */
  policy?: Partial<WatchPolicy>;
}

export interface WatchBase {
  signal: AbortSignal;
  tell: Tell;
  /** A line that the command of `exec` has written. */
  onOutput: (name: string, line: string) => void;
}

/**
 * Pulls for every device as it comes, or reboots into another kernel, at all
 * servers, until the signal fires; with `once`, until all that are there are
 * done or given up. Failures are told, and tried again at growing intervals.
 *
 * @returns what came of each device, with `once`; nothing else ends a watch but the signal
 * @throws KhError STORE_* where the store can't be opened; with `once` DEVICE_NONE, and the reason why no server is to be had
 */
export async function watchDevices(options: WatchOptions, base: WatchBase): Promise<WatchResult> {
  const store = await openHome(options.env, base.signal);
  const watch = newWatch(options, base, store);
  const { ending, outcomes } = watch;
  const end = () => ending.abort(base.signal.reason);
  ending.signal.addEventListener('abort', () => watch.commands?.clear());
  base.signal.addEventListener('abort', end, { once: true });
  base.tell({
    type: 'watch.started',
    servers: watch.sites.map(({ name, address }) => ({ name, address: describeAddress(address) })),
    store: store.home,
    version: khVersion(),
  });
  const followed = watch.sites.map((site) => follow(watch, site));
  try {
    await Promise.all(followed);
  } finally {
    ending.abort();
    clearTimeout(watch.timer);
    await Promise.all([...followed, ...watch.pulls].map((work) => work.catch(() => undefined)));
    await watch.commands?.finished();
    base.signal.removeEventListener('abort', end);
  }
  if (!options.once) return { devices: [], missed: [] };
  base.signal.throwIfAborted();
  return outcomes.result();
}

/** An adb server, and how far the watch is with it. */
interface Site extends LabServer {
  /** The server, once it has been there. */
  adb?: AdbServer;
  /** How many of its devices are being pulled for. */
  busy: number;
  /** `over`: it is not waited for any longer. */
  state: 'awaited' | 'listed' | 'over';
}

/** All that changes while a watch runs. */
interface Watch {
  readonly options: WatchOptions;
  readonly tell: Tell;
  readonly store: Store;
  readonly ending: AbortController;
  readonly sites: readonly Site[];
  readonly fleet: Fleet;
  readonly pulls: Set<Promise<void>>;
  readonly ready: ReadyPlaces;
  readonly outcomes: Outcomes;
  readonly commands: DeviceQueue<ReadyItem> | undefined;
  timer: NodeJS.Timeout | undefined;
}

function newWatch(options: WatchOptions, { tell, onOutput }: WatchBase, store: Store): Watch {
  const { servers, selection, times, once, exec, jobs, env, policy } = options;
  const ending = new AbortController();
  const { signal } = ending;
  setMaxListeners(0, signal);
  const ready = createReadyPlaces();
  const outcomes = createOutcomes(selection);
  const watch: Watch = {
    options,
    tell,
    store: { ...store, signal },
    ending,
    sites: servers.map((server) => ({ ...server, busy: 0, state: 'awaited' })),
    fleet: createFleet({ ...watchPolicy(times, once), ...policy }, (member, saying) =>
      onSaying(watch, member, saying),
    ),
    pulls: new Set(),
    ready,
    outcomes,
    commands:
      exec &&
      createReadyCommands({
        ...exec,
        jobs,
        signal,
        env,
        home: store.home,
        tell,
        onOutput,
        onEnd: ({ key, device, mark }, error) => {
          if (error === undefined) ready.done(key, mark);
          else if (once) outcomes.failed(key, device, error);
        },
        afterEach: () => moveOn(watch),
      }),
    timer: undefined,
  };
  return watch;
}

/** Takes the lists of one server, until the watch ends or, with `once`, the server is given up. */
async function follow(watch: Watch, site: Site): Promise<void> {
  const { fleet, tell, outcomes } = watch;
  const { selection, once, times } = watch.options;
  const { name: server } = site;
  try {
    await followServer(site, {
      ...serverPatience(once),
      signal: watch.ending.signal,
      connectTimeout: times.connect,
      onConnected: (reached) => {
        site.adb = reached;
        tell({ type: 'server.connected', server, version: reached.version });
      },
      onList: (listed) => {
        site.state = 'listed';
        const devices = listed.map((device) => labDevice(watch, site, device));
        if (once) outcomes.saw(devices);
        fleet.list(server, chosenOf(devices, selection), performance.now());
        moveOn(watch);
      },
      onLost: (error, retryInMilliseconds) => onLost(watch, site, error, retryInMilliseconds),
    });
  } catch (error) {
    onServerGivenUp(watch, site, error as KhError);
  }
}

function siteOf({ sites }: Watch, server: string): Site {
  const site = sites.find(({ name }) => name === server);
  if (site === undefined) throw new Error(`no server ${server}`);
  return site;
}

function labDevice({ sites }: Watch, site: Site, listed: ListedDevice): LabDevice {
  const { adb, name, address, startable } = site;
  if (adb === undefined) throw new Error(`a list of ${name}, which has not been there`);
  return inLab(listed, { adb, name, address, startable }, sites.length > 1);
}

/** The devices that are meant: all, where none is named. */
function chosenOf(devices: LabDevice[], selection: DeviceSelection): LabDevice[] {
  const { serials } = selection;
  return candidatesOf({ devices, lost: [] }, selection).filter(
    (device) => serials.length === 0 || serials.some((selector) => isMeant(device, selector)),
  );
}

function onLost({ fleet, tell }: Watch, site: Site, error: KhError, retryInMilliseconds: number): void {
  site.state = 'awaited';
  tell({ type: 'server.lost', server: site.name, error: errorReport(error), retryInMilliseconds });
  fleet.serverLost(site.name, performance.now());
}

function onServerGivenUp(watch: Watch, site: Site, error: KhError): void {
  site.state = 'over';
  watch.outcomes.serverGivenUp(error);
  watch.tell({ type: 'server.lost', server: site.name, error: errorReport(error) });
  watch.fleet.list(site.name, [], performance.now());
  moveOn(watch);
}

/** Does what is due: begins pulls, ends a watch that is to end, and sets the clock for the next time. */
function moveOn(watch: Watch): void {
  const { fleet, ending, pulls, sites, commands } = watch;
  const { once, jobs } = watch.options;
  if (ending.signal.aborted) return;
  const now = performance.now();
  fleet.elapse(now);
  const hasRoom = (server: string) => {
    const site = siteOf(watch, server);
    return site.busy < (site.jobs ?? Infinity);
  };
  while (pulls.size < jobs) {
    const member = fleet.begin(now, hasRoom);
    if (member === undefined) break;
    beginPull(watch, member);
  }
  clearTimeout(watch.timer);
  const isOver = sites.every(({ state }) => state !== 'awaited') && fleet.settled() && pulls.size === 0;
  if (once && isOver && (commands?.idle() ?? true)) {
    ending.abort();
    return;
  }
  const due = fleet.nextDue();
  if (due !== Infinity) watch.timer = setTimeout(() => moveOn(watch), Math.max(1, Math.ceil(due - now)));
}

function beginPull(watch: Watch, member: Member): void {
  const { options, tell, store, ending, pulls, fleet } = watch;
  const site = siteOf(watch, member.server);
  const device = labDevice(watch, site, member.listed);
  const { signal } = ending;
  const { pull, verbose, times } = options;
  const context = { signal, times, store, limits: ARCHIVE_LIMITS };
  const work = pullMember(device, { pull, verbose, tell, context }).then((outcome) => {
    pulls.delete(work);
    site.busy -= 1;
    if (signal.aborted) return;
    if (options.once) watch.outcomes.set(member.key, outcome);
    if (outcome.status === 'ok') onReady(watch, member.key, device, outcome);
    fleet.ended(member.key, outcome.status === 'ok' ? undefined : outcome.error, performance.now());
    moveOn(watch);
  });
  pulls.add(work);
  site.busy += 1;
}

function onReady(
  { ready, commands, tell }: Watch,
  key: string,
  device: LabDevice,
  { milliseconds, result }: { milliseconds: number; result: PulledHeaders },
): void {
  const { serial } = device;
  const mark = JSON.stringify([result.release, result.bootId ?? '', result.sha256]);
  const now = { device: result.device, mark };
  const isNews = ready.note(key, now);
  if (isNews) tell({ type: 'headers.ready', server: device.server.name, serial, milliseconds, result });
  if (commands === undefined || ready.isDone(now)) return;
  if (commands.has(result.device, (item) => item.mark === mark)) return;
  commands.add(result.device, { key, device, result, mark });
}

function onSaying(watch: Watch, { key, server, listed }: Member, saying: Saying): void {
  const { tell, ready, outcomes, options } = watch;
  const device = () => labDevice(watch, siteOf(watch, server), listed);
  const { serial, state, devpath, model } = listed;
  const about = { server, serial };
  switch (saying.type) {
    case 'appeared':
      tell({
        type: 'device.appeared',
        ...about,
        state,
        ...(devpath === undefined ? {} : { devpath }),
        ...(model === undefined ? {} : { model }),
      });
      break;
    case 'vanished':
      ready.gone(key);
      if (options.once) outcomes.lost(key, device());
      tell({ type: 'device.vanished', ...about });
      break;
    case 'unusable': {
      const { type, error, news } = saying;
      if (options.once) outcomes.failed(key, device(), error);
      tell({ type: `device.${type}`, ...about, state, error, news });
      break;
    }
    case 'failed': {
      const { type, ...failure } = saying;
      tell({ type: `device.${type}`, ...about, ...failure });
      break;
    }
    case 'forgotten':
      ready.forget(key);
  }
}
