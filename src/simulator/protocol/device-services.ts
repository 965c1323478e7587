import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultPoint } from '../faults';
import { ROOT_UID, SHELL_UID } from '../file-system';
import type { SimulatedDevice } from '../simulated-device';
import type { ClientConnection } from './connection';
import { failFrame, OKAY } from './frames';
import { serveShell } from './shell-service';
import { serveSync } from './sync-service';
import { Wire } from './wire';

/** Long enough for the answer to arrive before the transport goes. */
const BEFORE_RESTART = 20;

/** Serves one request of a client whose connection is with a device: `shell:…`, `sync:`, `root:`, … */
export async function serveDevice(
  connection: ClientConnection,
  device: SimulatedDevice,
  request: string,
): Promise<void> {
  const wire = new Wire(connection, device);
  const service = SERVICES.find(({ form }) => form.test(request));
  device.countService(/^[^:,]*/.exec(request)?.[0] ?? '');
  const { latency = 0 } = device.parts.description;
  if (latency > 0) await sleep(latency, undefined, { signal: connection.signal });
  const refused =
    service?.point !== undefined && device.faults.strike(service.point, ['refuse'], request) !== undefined;
  if (service === undefined || refused) {
    await wire.write(failFrame('closed')); // adbd hangs up on what it does not know; the server says so
    return;
  }
  await wire.write(OKAY);
  await service.serve(wire, request);
}

interface Service {
  form: RegExp;
  /** Where its faults are looked up; a sync session looks for each request by itself. */
  point?: FaultPoint;
  serve(wire: Wire, request: string): Promise<void>;
}

const SERVICES: Service[] = [
  {
    form: /^shell,v2[^:]*:/,
    point: 'shell',
    serve: (wire, request) =>
      serveShell(wire, { commandLine: argument(request), form: 'packets', point: 'shell' }),
  },
  {
    form: /^shell[^:]*:/,
    point: 'shell',
    serve: (wire, request) =>
      serveShell(wire, { commandLine: argument(request), form: 'raw', point: 'shell' }),
  },
  {
    form: /^exec:/,
    point: 'exec',
    serve: (wire, request) =>
      serveShell(wire, { commandLine: argument(request), form: 'raw', point: 'exec' }),
  },
  { form: /^sync:$/, serve: serveSync },
  { form: /^root:$/, point: 'root', serve: restartAsRoot },
  { form: /^unroot:$/, point: 'root', serve: restartAsShell },
  { form: /^reboot:/, serve: reboot },
];

/** What follows the first colon. */
function argument(request: string): string {
  return request.slice(request.indexOf(':') + 1);
}

async function restartAsRoot(wire: Wire): Promise<void> {
  const { device } = wire;
  wire.begin('root', '');
  if (device.uid === ROOT_UID) return say(wire, 'adbd is already running as root\n');
  const fault = device.faults.strike('root', ['fail']);
  if (device.parts.description.adbRoot === 'refused' || fault !== undefined) {
    return say(wire, 'adbd cannot run as root in production builds\n');
  }
  device.properties.set('service.adb.root', '1');
  await say(wire, 'restarting adbd as root\n');
  device.restartAdbd(ROOT_UID);
}

async function restartAsShell(wire: Wire): Promise<void> {
  const { device } = wire;
  wire.begin('root', '');
  if (device.uid !== ROOT_UID) return say(wire, 'adbd not running as root\n');
  device.properties.set('service.adb.root', '0');
  await say(wire, 'restarting adbd as non root\n');
  device.restartAdbd(SHELL_UID);
}

async function reboot(wire: Wire): Promise<void> {
  await sleep(BEFORE_RESTART);
  wire.device.reboot();
}

async function say(wire: Wire, text: string): Promise<void> {
  await wire.write(Buffer.from(text));
  await wire.finish();
  wire.connection.end();
  await sleep(BEFORE_RESTART);
}
