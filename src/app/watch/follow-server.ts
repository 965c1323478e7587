import type { AdbServer } from '../../adb/adb-server';
import { connectServer } from '../../adb/connect-server';
import type { ListedDevice } from '../../adb/device-list';
import { delay } from '../../core/abort';
import { asKhError, KhError } from '../../core/errors';
import type { LabServer } from '../lab/lab-servers';

export interface FollowOptions {
  signal: AbortSignal;
  /** Milliseconds for the server's answers. */
  connectTimeout: number;
  /** Milliseconds between two looks whether a server that says nothing still lives. */
  livenessInterval: number;
  /**
   * So many attempts in a row may fail once the server has been there; Infinity
   * for one that is waited for without end, from the beginning on.
   */
  attempts: number;
  /** Milliseconds until the next attempt; doubled with each further one, up to `longestPause`. */
  firstPause: number;
  longestPause: number;
  onConnected: (server: AdbServer) => void;
  onList: (listed: ListedDevice[]) => void;
  /** The server is gone, or not to be had. Told once, until it is there again or something else is wrong. */
  onLost: (error: KhError, retryInMilliseconds: number) => void;
}

/** Milliseconds after which a server that is up counts as sound: pauses begin small again. */
const SOUND_AFTER = 10_000;

/** One that is only being restarted by somebody is not started from here meanwhile: so many attempts go without. */
const LEAVE_ALONE = 3;

/** Where something keeps ending the server, kh does not keep starting it: so often, until it was up for so long. */
const MOST_STARTS = 3;
const STARTS_ANEW_AFTER = 600_000;

/**
 * Follows the device list of one server for good: connects anew, at growing
 * intervals, when the server goes or hangs, and starts one where it may.
 *
 * @throws KhError that the last of `attempts` failed with; else it ends when the signal fires
 */
export async function followServer(site: LabServer, options: FollowOptions): Promise<void> {
  const { signal, attempts, firstPause, longestPause } = options;
  let failures = 0;
  let starts = 0;
  let wasThere = false;
  let told: string | undefined;
  for (;;) {
    let connectedAt = Infinity;
    try {
      const mayStart = site.startable && starts < MOST_STARTS && (!wasThere || failures > LEAVE_ALONE);
      const server = await reach(site, options, mayStart, () => (starts += 1));
      connectedAt = performance.now();
      wasThere = true;
      told = undefined;
      options.onConnected(server);
      await followList(server, options);
    } catch (thrown) {
      if (signal.aborted) return;
      const error = asKhError(thrown);
      const upFor = performance.now() - connectedAt;
      if (upFor >= STARTS_ANEW_AFTER) starts = 0;
      failures = upFor >= SOUND_AFTER ? 1 : failures + 1;
      if (failures >= attempts || (attempts !== Infinity && !wasThere)) throw error;
      const pause = Math.min(firstPause * 2 ** (failures - 1), longestPause);
      if (kindOf(error) !== told) options.onLost(error, pause);
      told = kindOf(error);
      await delay(pause, signal).catch(() => undefined);
    }
    if (signal.aborted) return;
  }
}

async function reach(
  { address }: LabServer,
  { signal, connectTimeout }: FollowOptions,
  mayStart: boolean,
  onStart: () => void,
): Promise<AdbServer> {
  try {
    return await connectServer(address, { signal, connectTimeout, start: false });
  } catch (error) {
    const isRefused = error instanceof KhError && error.details?.['errno'] !== undefined;
    if (!mayStart || !isRefused) throw error;
    onStart();
    return connectServer(address, { signal, connectTimeout });
  }
}

/** A server that closes, refuses or stays silent is gone, however it shows. */
function kindOf({ code }: KhError): string {
  return code === 'TIMEOUT' ? 'ADB_UNAVAILABLE' : code;
}

/** Hands on each list until the signal fires. @throws KhError when the server goes, or stays silent when it is asked */
async function followList(server: AdbServer, options: FollowOptions): Promise<void> {
  const { signal, onList } = options;
  const ended = new AbortController();
  const end = () => ended.abort(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  const liveness = watchOver(server, ended, options);
  try {
    for await (const listed of server.trackDevices({ signal: ended.signal })) onList(listed);
    ended.signal.throwIfAborted();
  } finally {
    ended.abort();
    signal.removeEventListener('abort', end);
    await liveness;
  }
}

/** A server that hangs closes nothing: it is asked now and then. */
async function watchOver(server: AdbServer, ended: AbortController, options: FollowOptions): Promise<void> {
  const { connectTimeout: timeout, livenessInterval } = options;
  const { signal } = ended;
  try {
    for (;;) {
      await delay(livenessInterval, signal);
      await server.listDevices({ signal, timeout });
    }
  } catch (error) {
    if (!signal.aborted) ended.abort(error);
  }
}
