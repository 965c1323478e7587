import type { AdbServerAddress } from '../../adb/server-address';
import { printable } from '../../core/printable';
import type { LabDevice } from '../lab/reach-lab';
import type { PulledHeaders } from '../pull-headers';

/** A workspace that is ready, and the device that it is for. */
export interface ReadyWorkspace {
  device: LabDevice;
  result: PulledHeaders;
}

/**
 * What `--exec` finds in its environment: the facts of the workspace, and the
 * variables by which adb and kh itself come to mean this very device.
 *
 * Text from the device has no control characters in it: they are in the form
 * that messages have them in. A serial that holds such cannot be ANDROID_SERIAL.
 */
export function commandEnvironment(
  { device: { server, serial }, result }: ReadyWorkspace,
  { env, home }: { env: NodeJS.ProcessEnv; home: string },
): NodeJS.ProcessEnv {
  const name = printable(serial);
  return {
    ...withoutAdbVariables(env),
    ...adbVariables(server.address),
    ...(name === serial ? { ANDROID_SERIAL: serial } : {}),
    KH_HOME: home,
    KH_SERIAL: name,
    KH_SERVER: printable(server.name),
    KH_DEVICE: result.device,
    KH_RELEASE: printable(result.release),
    KH_MACHINE: printable(result.machine),
    KH_ARCH: printable(result.arch),
    KH_WORKSPACE: result.workspace,
    KH_HEADERS: result.headers,
    KH_ARCHIVE_SHA256: result.sha256,
    KH_MD5: result.md5,
    KH_VERIFIED: result.verdict.trust === 'trusted' ? '1' : '0',
    KH_CHANGED: result.changed ? '1' : '0',
  };
}

const ADB_VARIABLES = [
  'ANDROID_SERIAL',
  'ADB_SERVER_SOCKET',
  'ANDROID_ADB_SERVER_ADDRESS',
  'ANDROID_ADB_SERVER_PORT',
];

function withoutAdbVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ADB_VARIABLES.includes(name)));
}

/** By the oldest variables that say it, as other tools read no others. */
function adbVariables(address: AdbServerAddress): NodeJS.ProcessEnv {
  if (address.kind === 'local') return { ADB_SERVER_SOCKET: `localfilesystem:${address.path}` };
  return { ANDROID_ADB_SERVER_ADDRESS: address.host, ANDROID_ADB_SERVER_PORT: String(address.port) };
}
