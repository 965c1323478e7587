import {
  describeAddress,
  isLocalAddress,
  parseHostPort,
  resolveServerAddress,
  type AdbServerAddress,
} from '../../adb/server-address';
import { KhError } from '../../core/errors';

/** An adb server that a run is over. */
export interface LabServer {
  /** What devices behind it are told apart by: `name/serial`. */
  name: string;
  address: AdbServerAddress;
  /** The most devices of it to work on at a time, where its host bears fewer than the run as a whole. */
  jobs?: number;
  /** Whether kh may start it where none runs. */
  startable: boolean;
}

/** A server as the lab file names it. */
export interface ServerEntry {
  name?: string;
  host?: string;
  port?: number;
  jobs?: number;
}

/** Where the servers were named. A missing half of `flags` comes from the environment, as for adb itself. */
export type ServersOrigin = 'flags' | 'environment' | 'lab file' | 'default';

export interface ServerSources {
  /** Each -H. */
  hosts: readonly string[];
  /** Each -P. */
  ports: readonly number[];
  env: NodeJS.ProcessEnv;
  /** Those of the lab file. */
  entries?: readonly ServerEntry[] | undefined;
}

const DEFAULT_PORT = 5037;
const VARIABLES = ['ADB_SERVER_SOCKET', 'ANDROID_ADB_SERVER_ADDRESS', 'ANDROID_ADB_SERVER_PORT'] as const;

/** The variables of adb's that name a server, as far as they are set. */
export function serverVariables(env: NodeJS.ProcessEnv): string[] {
  return VARIABLES.filter((name) => env[name] !== undefined && env[name] !== '');
}

/**
 * The adb servers of a run: those of the flags, or else the environment's, or
 * else the lab file's, or else the one on this machine.
 *
 * Of flags, one server comes of each -H; the -P go to those that name no port
 * themselves: one to all of them, as many as there are to each its own, or
 * several to a single host. A server that is named twice counts once.
 *
 * Only the server that adb itself would start may be started: a port of this
 * machine in a list of several may be the near end of a tunnel.
 *
 * @throws KhError USAGE for an address that is none, and for flags that do not pair
 */
export function labServers(sources: ServerSources): { servers: LabServer[]; origin: ServersOrigin } {
  const { hosts, ports, env, entries } = sources;
  if (hosts.length > 0 || ports.length > 0) {
    const pairs = pairFlags(hosts, ports);
    return {
      servers: named(pairs.map((pair) => ({ address: resolveServerAddress(pair, env) }))),
      origin: 'flags',
    };
  }
  if (serverVariables(env).length > 0 || entries === undefined) {
    const origin = serverVariables(env).length > 0 ? 'environment' : 'default';
    return { servers: named([{ address: resolveServerAddress({}, env) }]), origin };
  }
  const servers = entries.map(({ host, port = DEFAULT_PORT, name, jobs }) => ({
    address: resolveServerAddress({ host: host ?? 'localhost', port }, {}),
    ...(name === undefined ? {} : { name }),
    ...(jobs === undefined ? {} : { jobs }),
  }));
  return { servers: named(servers).map(onlyDefaultStarts), origin: 'lab file' };
}

/** The address of a server, as messages and results have it. */
export const serverPlace = describeAddress;

interface Pair {
  host?: string;
  port?: number;
}

/** What -H and -P say together, in the order of the hosts. */
function pairFlags(hosts: readonly string[], ports: readonly number[]): Pair[] {
  if (hosts.length === 0) return ports.map((port) => ({ port }));
  const given = hosts.map((host): Pair => parseHostPort(host, '-H'));
  const open = given.filter(({ port }) => port === undefined).length;
  const fits = ports.length <= 1 || open === 1 || open === ports.length;
  if (!fits || (open === 0 && ports.length > 0)) throw unpaired(open, ports.length);
  const rest = [...ports];
  return given.flatMap((pair) => {
    if (pair.port !== undefined || ports.length === 0) return [pair];
    const [only] = ports;
    const mine = open === 1 ? rest : [ports.length === 1 ? only : rest.shift()];
    return mine.map((port) => ({ ...pair, ...(port === undefined ? {} : { port }) }));
  });
}

function unpaired(hosts: number, ports: number): KhError {
  return new KhError('USAGE', {
    message:
      hosts === 0
        ? 'every -H names its port already: there is no use for -P'
        : `${ports} times -P cannot be paired with ${hosts} times -H`,
    hint: 'Give each -H its port: -H rack1:5037 -H rack2:5038. Or one -P for all of them, or one for each, in order.',
  });
}

/** Names the servers that have no name by their address, and drops repetitions. */
function named(servers: (Omit<LabServer, 'name' | 'startable'> & { name?: string })[]): LabServer[] {
  const byAddress = new Map(
    servers.map((server) => [
      describeAddress(server.address),
      { name: describeAddress(server.address), startable: isLocalAddress(server.address), ...server },
    ]),
  );
  const all = [...byAddress.values()];
  return all.length === 1 ? all : all.map(onlyDefaultStarts);
}

function onlyDefaultStarts(server: LabServer): LabServer {
  const { address } = server;
  const isDefault = isLocalAddress(address) && address.kind === 'tcp' && address.port === DEFAULT_PORT;
  return { ...server, startable: isDefault };
}
