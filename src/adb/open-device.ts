import type { AdbDevice, CallOptions } from './adb-device';
import type { AdbSocket } from './adb-socket';
import type { ListedDevice } from './device-list';
import { aboutDevice, streamService, withService, type Pinned } from './device-service';
import { stateError } from './device-state';
import { askServer } from './host-service';
import { readRootReply, ROOT_SERVICE } from './root-service';
import { collectShellV1, markedCommand } from './shell-v1';
import { collectShellV2, shellV2Service } from './shell-v2';
import { receiveFile, sendFile, statV1, statV2, SYNC_SERVICE } from './sync';
import type { AdbServerAddress } from './server-address';
import { untilDisconnected } from './until-disconnected';

/** The features that kh makes use of, where the device has them. */
const SPOKEN = ['shell_v2', 'stat_v2'];

/** States in which adbd runs a shell. */
const USABLE = ['device', 'recovery', 'rescue'];

/**
 * Pins a listed device by its transport id, and asks for its features.
 *
 * @throws KhError an error of the device's state, DEVICE_LOST, ADB_UNAVAILABLE, ADB_PROTOCOL, TIMEOUT; or the signal's reason
 */
export async function openDevice(
  address: AdbServerAddress,
  listed: ListedDevice,
  options: CallOptions,
): Promise<AdbDevice> {
  if (!USABLE.includes(listed.state)) throw stateError(listed);
  const { serial, transportId, devpath } = listed;
  const pinned: Pinned = { address, serial, transportId };
  const service = aboutDevice(pinned, 'features');
  const offered = (await askServer({ address, service, serial }, options)).split(',');
  const features = new Set(SPOKEN.filter((feature) => offered.includes(feature)));
  return {
    serial,
    transportId,
    devpath,
    features,
    run: (commandLine, call) => run(pinned, features, commandLine, call),
    stream: (commandLine, call) => streamService(pinned, `exec:${commandLine}`, call, readAll),
    stat: (path, call) =>
      withService(pinned, SYNC_SERVICE, call, (socket) =>
        features.has('stat_v2') ? statV2(socket, path) : statV1(socket, path),
      ),
    receive: (path, call) => streamService(pinned, SYNC_SERVICE, call, (socket) => receiveFile(socket, path)),
    send: (path, mode, chunks, call) =>
      withService(pinned, SYNC_SERVICE, call, (socket) => sendFile(socket, path, mode, chunks)),
    restartAsRoot: (call) => withService(pinned, ROOT_SERVICE, call, readRootReply),
    untilDisconnected: (signal) => untilDisconnected(pinned, signal),
  };
}

function run(pinned: Pinned, features: ReadonlySet<string>, commandLine: string, call: CallOptions) {
  if (features.has('shell_v2')) {
    return withService(pinned, shellV2Service(commandLine), call, (socket) => collectShellV2(socket));
  }
  const { service, mark } = markedCommand(commandLine);
  return withService(pinned, service, call, (socket) => collectShellV1(socket, mark));
}

async function* readAll(socket: AdbSocket): AsyncGenerator<Buffer, void, undefined> {
  for (let chunk = await socket.readSome(); chunk !== undefined; chunk = await socket.readSome()) {
    yield chunk;
  }
}
