import { KhError } from '../core/errors';

/** Where an adb server listens. */
export type AdbServerAddress = { kind: 'tcp'; host: string; port: number } | { kind: 'local'; path: string };

/** What the command line said of the adb server, as adb's own -H, -P and -L. */
export interface ServerFlags {
  host?: string | undefined;
  port?: number | undefined;
  /** A socket specification: `tcp:PORT`, `tcp:HOST:PORT`, `local:PATH`, `localfilesystem:PATH`. */
  socket?: string | undefined;
}

const DEFAULT_HOST = 'localhost';
const DEFAULT_PORT = 5037;

/**
 * The address of the adb server, found as adb finds it: flags win; without
 * any, ADB_SERVER_SOCKET; then ANDROID_ADB_SERVER_ADDRESS and
 * ANDROID_ADB_SERVER_PORT, which also fill in the half that the flags left
 * out. An empty variable counts as unset.
 *
 * @throws KhError USAGE, naming the flag or the variable
 * @see AOSP packages/modules/adb/client/commandline.cpp
 */
export function resolveServerAddress(flags: ServerFlags, env: NodeJS.ProcessEnv): AdbServerAddress {
  const { host, port, socket } = flags;
  if (socket !== undefined) {
    if (host !== undefined || port !== undefined) {
      throw new KhError('USAGE', { message: 'a server socket excludes a server host and a server port' });
    }
    return parseSocketSpec(socket, 'the server socket');
  }
  const variable = env['ADB_SERVER_SOCKET'];
  if (host === undefined && port === undefined && variable)
    return parseSocketSpec(variable, '$ADB_SERVER_SOCKET');
  return {
    kind: 'tcp',
    host: unbracketed(host ?? (env['ANDROID_ADB_SERVER_ADDRESS'] || DEFAULT_HOST)),
    port: port === undefined ? portFromEnvironment(env) : checkedPort(String(port), 'the server port'),
  };
}

/** Whether the server, if it does not run, can be started from here. */
export function isLocalAddress(address: AdbServerAddress): boolean {
  if (address.kind === 'local') return true;
  return address.host === 'localhost' || address.host === '::1' || /^127(\.\d{1,3}){3}$/.test(address.host);
}

/** The address as a socket specification, which `parseSocketSpec` reads. */
export function socketSpec(address: AdbServerAddress): string {
  return address.kind === 'local' ? `local:${address.path}` : `tcp:${describeAddress(address)}`;
}

/** The address for messages: `localhost:5037`, or the path of the socket. */
export function describeAddress(address: AdbServerAddress): string {
  if (address.kind === 'local') return address.path;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

function portFromEnvironment(env: NodeJS.ProcessEnv): number {
  const text = env['ANDROID_ADB_SERVER_PORT'];
  return text ? checkedPort(text, '$ANDROID_ADB_SERVER_PORT') : DEFAULT_PORT;
}

function checkedPort(text: string, origin: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port > 0 && port < 65536) return port;
  throw new KhError('USAGE', { message: `${origin} must be a port number from 1 to 65535, not "${text}"` });
}

/** @throws KhError USAGE, with `origin` for where the text stands */
export function parseSocketSpec(spec: string, origin: string): AdbServerAddress {
  const local = /^(?:local|localfilesystem):(.+)$/s.exec(spec)?.[1];
  if (local !== undefined) return { kind: 'local', path: local };
  const [, host, port] = /^tcp:(?:(\[[^\]]*\]|[^[\]]+):)?([^:]*)$/s.exec(spec) ?? [];
  if (port === undefined) {
    throw new KhError('USAGE', {
      message: `${origin} must be tcp:PORT, tcp:HOST:PORT or local:PATH, not "${spec}"`,
    });
  }
  return { kind: 'tcp', host: unbracketed(host ?? DEFAULT_HOST), port: checkedPort(port, origin) };
}

/**
 * Reads `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address.
 *
 * @throws KhError USAGE, with `origin` for where the text stands
 */
export function parseHostPort(text: string, origin: string): { host: string; port?: number } {
  const bare = text.split(':').length > 2 && !text.startsWith('[');
  const [, bracketed, plain, port] = bare
    ? [undefined, text]
    : (/^(?:\[([^[\]\s]+)\]|([^[\]:\s/]+))(?::(.*))?$/s.exec(text) ?? []);
  const host = bracketed ?? plain;
  if (host === undefined) {
    throw new KhError('USAGE', { message: `${origin} must be a host or host:port, not "${text}"` });
  }
  return port === undefined ? { host } : { host, port: checkedPort(port, `the port of ${origin}`) };
}

function unbracketed(host: string): string {
  return /^\[(.*)\]$/s.exec(host)?.[1] ?? host;
}
