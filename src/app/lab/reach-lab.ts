import type { AdbServer } from '../../adb/adb-server';
import { connectServer } from '../../adb/connect-server';
import type { ListedDevice } from '../../adb/device-list';
import { describeAddress } from '../../adb/server-address';
import { deviceName } from '../../core/device-name';
import { errorReport, KhError, type ErrorReport } from '../../core/errors';
import type { Emit } from '../../core/events';
import { concurrently } from '../concurrently';
import type { LabServer } from './lab-servers';

/** A device as it is attached, and to which server. */
export interface LabDevice extends ListedDevice {
  server: ReachedServer;
  /** The serial; `server/serial` where the lab has several servers. */
  name: string;
}

export interface ReachedServer extends LabServer {
  adb: AdbServer;
}

/** A server that is of the lab, but does not do its work. */
export interface LostServer extends LabServer {
  error: KhError;
}

/** What of the lab is there at the moment. */
export interface Lab {
  /** In the order in which the servers were named, and within each, as it lists them. */
  devices: LabDevice[];
  lost: LostServer[];
  /** All of them, as JSON results tell of them. */
  servers: ServerReport[];
}

/** One adb server in a result. */
export interface ServerReport {
  name: string;
  address: string;
  state: 'ok' | 'failed';
  /** Protocol version of adb. */
  version?: number;
  /** How many devices are attached to it. */
  devices?: number;
  error?: ErrorReport;
}

export interface ReachOptions {
  signal: AbortSignal;
  emit: Emit;
  /** Milliseconds for each server's answers. */
  timeout: number;
}

/** Servers asked at a time. */
const AT_ONCE = 32;

/**
 * Asks all servers at once what is attached. One of several that cannot be
 * reached is warned of, and does not stop the others.
 *
 * @throws KhError where no server is reached: what the only one failed with, or else the first failure
 *   with the lowest exit code; or the signal's reason
 */
export async function reachLab(servers: readonly LabServer[], options: ReachOptions): Promise<Lab> {
  const several = servers.length > 1;
  const answers = await concurrently(servers, AT_ONCE, async (server) => {
    const answer = await askServer(server, options);
    if (several && answer instanceof KhError) {
      const message = `${answer.reason}. Its devices are missing here.`;
      options.emit({ type: 'warning', server: server.name, message });
    }
    return { server, answer };
  });
  options.signal.throwIfAborted();
  const lab: Lab = { devices: [], lost: [], servers: [] };
  for (const { server, answer } of answers) {
    if (answer instanceof KhError)
      lab.lost.push({ ...server, error: several ? answer.at(server.name) : answer });
    else
      lab.devices.push(
        ...answer.listed.map((listed) => inLab(listed, { ...server, adb: answer.adb }, several)),
      );
    lab.servers.push(serverReport(server, answer));
  }
  if (lab.lost.length === servers.length) throw noServer(lab.lost);
  return lab;
}

/** A device of a server's list as one of the lab. */
export function inLab(listed: ListedDevice, server: ReachedServer, several: boolean): LabDevice {
  const { serial } = listed;
  return { ...listed, server, name: deviceName({ serial, server: several ? server.name : undefined }) };
}

/** Connects to a server of the lab, and starts it where that is allowed. Throws as `connectServer`. */
async function reachServer(server: LabServer, options: Omit<ReachOptions, 'emit'>): Promise<ReachedServer> {
  const { signal, timeout } = options;
  const adb = await connectServer(server.address, {
    signal,
    connectTimeout: timeout,
    start: server.startable,
  });
  return { ...server, adb };
}

interface Answer {
  adb: AdbServer;
  listed: ListedDevice[];
}

async function askServer(server: LabServer, options: ReachOptions): Promise<Answer | KhError> {
  const { signal, timeout } = options;
  try {
    const { adb } = await reachServer(server, options);
    return { adb, listed: await adb.listDevices({ signal, timeout }) };
  } catch (error) {
    if (error instanceof KhError && !signal.aborted) return error;
    throw error;
  }
}

function serverReport({ name, address }: LabServer, answer: Answer | KhError): ServerReport {
  const common = { name, address: describeAddress(address) };
  if (answer instanceof KhError) return { ...common, state: 'failed', error: errorReport(answer) };
  return { ...common, state: 'ok', version: answer.adb.version, devices: answer.listed.length };
}

function noServer(lost: readonly LostServer[]): KhError {
  const [first] = lost.toSorted((a, b) => a.error.exitCode - b.error.exitCode);
  if (first === undefined) return new KhError('INTERNAL', { message: 'no adb server was named' });
  const { error } = first;
  if (lost.length === 1) return error;
  return new KhError(error.code, {
    message: `none of the ${lost.length} adb servers can be used: ${lost.map((one) => one.error.message).join('; ')}`,
    hint: error.hint,
    details: { servers: lost.map(({ name, error: { code } }) => ({ name, code })) },
    cause: error,
  });
}
