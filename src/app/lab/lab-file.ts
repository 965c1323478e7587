import { dirname, resolve } from 'node:path';
import { parseHostPort } from '../../adb/server-address';
import {
  boolean,
  integer,
  listOf,
  matching,
  Misfit,
  nonEmptyText,
  objectOf,
  oneOf,
  reject,
  shown,
  text,
  type Check,
} from '../../core/checks';
import { parseDuration } from '../../core/duration';
import { KhError } from '../../core/errors';
import type { TimeLimits } from '../../core/limits';
import type { PrivilegeChoice } from '../../device/privilege';
import type { ServerEntry } from './lab-servers';

/** How long to wait, each as `90`, `90s`, `5m`: docs/lab.md says for what. */
export interface LabTimeouts {
  device?: string | number;
  connect?: string | number;
  stall?: string | number;
  settle?: string | number;
  restart?: string | number;
}

/**
 * What a lab's `kh.lab.json` may hold: the flags that a lab wants to fix for
 * all. docs/lab.md is its reference, docs/schemas/lab.json its schema.
 */
export interface LabFile {
  /** For editors. */
  $schema?: string;
  /** The adb servers: `host`, `host:port`, or an object. */
  servers?: (string | LabFileServer)[];
  /** Which devices are of the lab, as `-s` takes them; left out: all. */
  devices?: string[];
  /** Which devices to leave out. */
  exclude?: string[];
  /** List of trusted archives; relative to this file. */
  manifest?: string;
  requireManifest?: boolean;
  /** Public keys, files and folders: manifests count only if one of them signed; relative to this file. */
  trustedKeys?: string[];
  /** Devices to work on at a time, over all servers. */
  jobs?: number;
  timeouts?: LabTimeouts;
  privilege?: PrivilegeChoice;
}

/** An adb server in a lab file. */
export interface LabFileServer {
  /** What devices behind it are told apart by; `host:port` when left out. */
  name?: string;
  /** localhost when left out. */
  host?: string;
  /** 5037 when left out. */
  port?: number;
  /** The most devices of it to work on at a time. */
  jobs?: number;
}

/** A lab file as it was read: every length of time in milliseconds, every path absolute. */
export interface LabSettings extends Pick<
  LabFile,
  'devices' | 'exclude' | 'requireManifest' | 'jobs' | 'privilege'
> {
  /** The file. */
  path: string;
  servers?: ServerEntry[];
  manifest?: string;
  trustedKeys?: string[];
  times: Partial<TimeLimits>;
}

const TIMEOUTS = ['device', 'connect', 'stall', 'settle', 'restart'] as const;

const duration: Check = (value, at) => {
  if (typeof value === 'number' || typeof value === 'string') {
    if (parseDuration(String(value)) !== undefined) return;
  }
  reject(at, `must be a length of time, such as 90, "90s" or "5m", not ${shown(value)}`);
};

const serverName = matching(
  /^[^\s/\p{C}]{1,64}$/u,
  'a name of at most 64 characters, without spaces and slashes',
);

const hostPort: Check = (value, at) => {
  text(value, at);
  fits(() => parseHostPort(String(value), at), at, 'must be a host or host:port', value);
};

const host: Check = (value, at) => {
  text(value, at);
  const isAlone = () => {
    if (parseHostPort(String(value), at).port !== undefined) throw new KhError('USAGE', { message: at });
  };
  fits(isAlone, at, 'must be a host; its port goes into "port"', value);
};

const port = integer(1, 65_535);
const jobs = integer(1, 1_000);
const serverObject = objectOf({ name: serverName, host, port, jobs });

const server: Check = (value, at) => {
  if (typeof value === 'string') hostPort(value, at);
  else serverObject(value, at);
};

const labFile = objectOf({
  $schema: text,
  servers: listOf(server),
  devices: listOf(nonEmptyText),
  exclude: listOf(nonEmptyText),
  manifest: nonEmptyText,
  requireManifest: boolean,
  trustedKeys: listOf(nonEmptyText),
  jobs,
  timeouts: objectOf(Object.fromEntries(TIMEOUTS.map((name) => [name, duration]))),
  privilege: oneOf(['auto', 'none', 'adb-root', 'su'] satisfies PrivilegeChoice[]),
});

function fits(parse: () => unknown, at: string, what: string, value: unknown): void {
  try {
    parse();
  } catch (error) {
    if (error instanceof KhError) reject(at, `${what}, not ${shown(value)}`);
    throw error;
  }
}

/**
 * Reads the text of a lab file. What is not known in it is refused, so that a
 * slip of the pen does not quietly leave a lab without its manifest.
 *
 * @param path the file, for messages, and for the paths in it
 * @throws KhError USAGE, naming the file, the place in it, and what is expected there
 */
export function parseLabFile(source: string, path: string): LabSettings {
  try {
    const value = parseJson(source);
    labFile(value, '');
    return settingsOf(value as LabFile, path);
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    throw new KhError('USAGE', {
      message: `the lab file ${path} is not valid: ${error.message}`,
      hint: 'docs/lab.md lists what a lab file may hold. `--lab none` goes without one.',
      details: { path, key: error.at },
    });
  }
}

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source) as unknown;
  } catch (error) {
    return reject('', `is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function settingsOf(file: LabFile, path: string): LabSettings {
  const { devices, exclude, requireManifest, jobs: most, privilege, manifest, trustedKeys } = file;
  const servers = file.servers?.map(serverEntry);
  if (servers !== undefined) refuseTwins(servers);
  if (trustedKeys?.length === 0)
    reject('trustedKeys', 'must name at least one key; left out, none is asked for');
  return {
    path,
    ...(servers === undefined ? {} : { servers }),
    ...(devices === undefined ? {} : { devices }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(requireManifest === undefined ? {} : { requireManifest }),
    ...(most === undefined ? {} : { jobs: most }),
    ...(privilege === undefined ? {} : { privilege }),
    ...(manifest === undefined ? {} : { manifest: resolve(dirname(path), manifest) }),
    ...(trustedKeys === undefined
      ? {}
      : { trustedKeys: trustedKeys.map((key) => resolve(dirname(path), key)) }),
    times: timesOf(file.timeouts ?? {}),
  };
}

function serverEntry(server: string | LabFileServer): ServerEntry {
  return typeof server === 'string' ? parseHostPort(server, 'servers') : server;
}

/** Of two servers with one name or one address, nobody could say which is meant. */
function refuseTwins(servers: readonly ServerEntry[]): void {
  if (servers.length === 0) reject('servers', 'must name at least one server; left out, it is the one here');
  const places = new Map<string, number>();
  for (const [index, { name, host = 'localhost', port = 5037 }] of servers.entries()) {
    for (const key of new Set([`${host}:${port}`, ...(name === undefined ? [] : [name])])) {
      const earlier = places.get(key);
      if (earlier !== undefined) reject(`servers[${index}]`, `is servers[${earlier}] again: ${shown(key)}`);
      places.set(key, index);
    }
  }
}

function timesOf(timeouts: LabTimeouts): Partial<TimeLimits> {
  const given = TIMEOUTS.flatMap((name) => {
    const value = timeouts[name];
    const milliseconds = value === undefined ? undefined : parseDuration(String(value));
    return milliseconds === undefined ? [] : [[name, milliseconds] as const];
  });
  return Object.fromEntries(given);
}
