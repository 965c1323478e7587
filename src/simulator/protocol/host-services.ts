import { STATE_FAULTS } from '../faults';
import type { AdbDescription } from '../lab/lab-description';
import type { SimulatedDevice } from '../simulated-device';
import type { ClientConnection } from './connection';
import { serveDevice } from './device-services';
import { failFrame, hexFrame, OKAY, parseHexLength } from './frames';
import { parseHostRequest, type HostRequest } from './host-requests';
import { trackDevices, waitFor } from './watch-services';
import { ServerRefusal, type Target, type Transports } from './transports';
import { Wire } from './wire';

/** What the adb server says of itself. */
export type ServerTraits = Required<Pick<AdbDescription, 'version' | 'features'>>;

export interface HostContext {
  transports: Transports;
  adb: ServerTraits;
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
  if (request.handover !== undefined) return takeTransport(connection, request, context);
  if (service === 'track-devices' || service === 'track-devices-l') {
    return trackDevices(connection, context.transports, service.endsWith('-l'));
  }
  if (service === 'features') {
    const { device, wire } = turnTo(connection, target, context.transports, 'features');
    await wire.write(Buffer.concat([OKAY, hexFrame(device.parts.description.features.join(','))]));
    return wire.finish();
  }
  await connection.write(Buffer.concat([OKAY, hexFrame(textAnswer(request, context))]));
}

function textAnswer({ service, target }: HostRequest, { transports, adb }: HostContext): string {
  switch (service) {
    case 'version':
      return adb.version.toString(16).padStart(4, '0');
    case 'devices':
      return transports.listing(false);
    case 'devices-l':
      return transports.listing(true);
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

/** The device that a client turns to, and the wire for the server's answer with the faults that are due. @throws ServerRefusal */
function turnTo(
  connection: ClientConnection,
  target: Target,
  transports: Transports,
  point: 'connect' | 'features',
): { device: SimulatedDevice; wire: Wire } {
  let device = transports.findReady(target);
  if (device.faults.strike(point, ['refuse', 'fail']) !== undefined)
    throw new ServerRefusal('device offline');
  const change = device.faults.strike(point, STATE_FAULTS);
  if (change !== undefined) {
    device.undergo(change);
    device = transports.findReady(target);
  }
  const wire = new Wire(connection, device, 'server');
  wire.begin(point, '');
  return { device, wire };
}

/** Hands the connection over to a device; `tport` says which one it is. */
async function takeTransport(
  connection: ClientConnection,
  { handover, target }: HostRequest,
  { transports, adb }: HostContext,
): Promise<void> {
  if (handover === 'tport' && adb.version < 41) throw new ServerRefusal('unknown host service');
  const { device, wire } = turnTo(connection, target, transports, 'connect');
  device.addConnection(connection);
  try {
    await wire.write(handover === 'tport' ? Buffer.concat([OKAY, transportId(transports, device)]) : OKAY);
    await wire.finish();
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
