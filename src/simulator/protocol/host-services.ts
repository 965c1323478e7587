import type { AdbDescription } from '../lab/lab-description';
import type { SimulatedDevice } from '../simulated-device';
import type { ClientConnection } from './connection';
import { serveDevice } from './device-services';
import { failFrame, hexFrame, OKAY, parseHexLength } from './frames';
import { parseHostRequest, type HostRequest } from './host-requests';
import { ServerRefusal, type Target, type Transports } from './transports';
import { Wire } from './wire';

export interface HostContext {
  transports: Transports;
  adb: Required<AdbDescription>;
}

/** Serves one client of the adb server, from its first byte to its last. */
export async function serveClient(connection: ClientConnection, context: HostContext): Promise<void> {
  const request = await readRequest(connection);
  if (request === undefined) {
    connection.destroy();
    return;
  }
  const serials = context.transports.attached().map(({ serial }) => serial);
  const parsed = parseHostRequest(request, serials);
  try {
    if (parsed === undefined) throw new ServerRefusal('unknown host service');
    await answer(connection, parsed, context);
  } catch (error) {
    if (!(error instanceof ServerRefusal)) throw error;
    await connection.write(failFrame(error.message));
  }
  connection.end();
}

/** @returns undefined where the client does not speak the protocol */
async function readRequest(connection: ClientConnection): Promise<string | undefined> {
  const length = parseHexLength(await connection.read(4));
  return length === undefined ? undefined : (await connection.read(length)).toString('utf8');
}

async function answer(
  connection: ClientConnection,
  request: HostRequest,
  context: HostContext,
): Promise<void> {
  const { service, target } = request;
  const waiting = /^wait-for-(usb|local|any)-(.+)$/.exec(service);
  if (waiting?.[1] !== undefined && waiting[2] !== undefined) {
    const scope = target.by === 'any' ? ({ by: waiting[1] } as Target) : target;
    return waitFor(connection, scope, waiting[2], context.transports);
  }
  if (service === 'transport' || service === 'tport') return takeTransport(connection, request, context);
  if (service === 'track-devices' || service === 'track-devices-l') {
    return trackDevices(connection, context.transports, service.endsWith('-l'));
  }
  await connection.write(Buffer.concat([OKAY, hexFrame(await textAnswer(connection, request, context))]));
}

async function textAnswer(
  connection: ClientConnection,
  { service, target }: HostRequest,
  { transports, adb }: HostContext,
): Promise<string> {
  switch (service) {
    case 'version':
      return adb.version.toString(16).padStart(4, '0');
    case 'devices':
      return listing(transports, false);
    case 'devices-l':
      return listing(transports, true);
    case 'features':
      return target.by === 'any'
        ? adb.features.join(',')
        : featuresOf(connection, transports.findReady(target));
    case 'host-features':
      return adb.features.join(',');
    case 'get-state':
      return transports.findReady(target).state;
    case 'get-serialno':
      return transports.findReady(target).serial;
    case 'get-devpath':
      return transports.findReady(target).parts.description.devpath ?? 'unknown';
    case 'kill':
      throw new ServerRefusal('this adb server is simulated: end it where it was started');
    default:
      throw new ServerRefusal('unknown host service');
  }
}

async function featuresOf(connection: ClientConnection, device: SimulatedDevice): Promise<string> {
  await meetFaults(connection, device, 'features');
  return device.parts.description.features.join(',');
}

/** Brings about what is due when a client first turns to a device. @throws ServerRefusal, ConnectionClosed */
async function meetFaults(
  connection: ClientConnection,
  device: SimulatedDevice,
  point: 'connect' | 'features',
): Promise<void> {
  if (device.faults.strike(point, ['refuse', 'fail']) !== undefined)
    throw new ServerRefusal('device offline');
  const wire = new Wire(connection, device);
  wire.begin(point, '');
  await wire.finish();
}

function listing(transports: Transports, long: boolean): string {
  return transports
    .attached()
    .map((device) => transports.describe(device, long))
    .join('');
}

/** Hands the connection over to a device; `tport` says which one it is. */
async function takeTransport(
  connection: ClientConnection,
  { service, target }: HostRequest,
  { transports, adb }: HostContext,
): Promise<void> {
  if (service === 'tport' && adb.version < 41) throw new ServerRefusal('unknown host service');
  const device = transports.findReady(target);
  await meetFaults(connection, device, 'connect');
  device.addConnection(connection);
  try {
    await connection.write(
      service === 'tport' ? Buffer.concat([OKAY, transportId(transports, device)]) : OKAY,
    );
    const request = await readRequest(connection);
    if (request === undefined) connection.destroy();
    else await serveDevice(connection, device, request);
  } finally {
    device.removeConnection(connection);
  }
}

function transportId(transports: Transports, device: SimulatedDevice): Buffer {
  const id = Buffer.alloc(8);
  id.writeBigUInt64LE(BigInt(transports.idOf(device) ?? 0));
  return id;
}

/** The whole list now, and again after every change. */
async function trackDevices(
  connection: ClientConnection,
  transports: Transports,
  long: boolean,
): Promise<void> {
  await connection.write(OKAY);
  let last: string | undefined;
  let sending = Promise.resolve();
  const send = () => {
    sending = sending
      .then(async () => {
        const text = listing(transports, long);
        if (text === last) return;
        last = text;
        await connection.write(hexFrame(text));
      })
      .catch(() => undefined); // the client left; `hang` below ends the service
  };
  transports.on('changed', send);
  try {
    send();
    await connection.hang();
  } finally {
    transports.off('changed', send);
  }
}

/** OKAY at once, and OKAY again when the device is in that state. */
async function waitFor(
  connection: ClientConnection,
  target: Target,
  state: string,
  transports: Transports,
): Promise<void> {
  await connection.write(OKAY);
  const reached = () => {
    const states = transports.matching(target).map((device) => device.state as string);
    return state === 'disconnect' ? states.length === 0 : states.includes(state);
  };
  if (!reached()) {
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        transports.off('changed', check);
        reject(connection.signal.reason);
      };
      const check = () => {
        if (!reached()) return;
        transports.off('changed', check);
        connection.signal.removeEventListener('abort', leave);
        resolve();
      };
      connection.signal.addEventListener('abort', leave);
      connection.hang().catch(() => connection.destroy());
      transports.on('changed', check);
    });
  }
  await connection.write(OKAY);
}
