import { EventEmitter } from 'node:events';
import type { DeviceState } from '../lab/lab-description';
import type { SimulatedDevice } from '../simulated-device';

/** A request that the adb server answers with FAIL and this text. */
export class ServerRefusal extends Error {
  constructor(text: string) {
    super(text);
    this.name = 'ServerRefusal';
  }
}

/** How a client names the device that it wants. */
export type Target =
  { by: 'serial'; serial: string } | { by: 'transport-id'; id: string } | { by: 'any' | 'usb' | 'local' };

/** What the adb server says of a device that is attached, but not in state `device`. */
const REFUSALS: Partial<Record<DeviceState, string>> = {
  offline: 'device offline',
  connecting: 'device still connecting',
  authorizing: 'device still authorizing',
  unauthorized: [
    'device unauthorized.',
    "This adb server's $ADB_VENDOR_KEYS is not set",
    "Try 'adb kill-server' if that seems wrong.",
    'Otherwise check for a confirmation dialog on your device.',
  ].join('\n'),
  'no permissions':
    'insufficient permissions for device: user in plugdev group; are your udev rules wrong?\nSee [http://developer.android.com/tools/device.html] for more information',
};

/** The adb server's list of devices. Each time that a device is attached it gets a new transport id. */
export class Transports extends EventEmitter<{ changed: [] }> {
  readonly #ids = new Map<SimulatedDevice, number>();
  #lastId = 0;

  constructor(private readonly devices: readonly SimulatedDevice[]) {
    super();
    this.setMaxListeners(0);
    for (const device of devices) {
      this.#number(device);
      device.on('changed', () => {
        this.#number(device);
        this.emit('changed');
      });
    }
  }

  attached(): SimulatedDevice[] {
    return this.devices.filter(({ attached }) => attached);
  }

  idOf(device: SimulatedDevice): number | undefined {
    return this.#ids.get(device);
  }

  /** The device that is meant, in whatever state. @throws ServerRefusal */
  find(target: Target): SimulatedDevice {
    const [device, ...others] = this.matching(target);
    if (device === undefined) throw new ServerRefusal(notFound(target));
    if (others.length > 0) throw new ServerRefusal(ambiguous(target));
    return device;
  }

  /** The device that is meant, if services can be had from it. @throws ServerRefusal */
  findReady(target: Target): SimulatedDevice {
    const device = this.find(target);
    const refusal = REFUSALS[device.state];
    if (refusal !== undefined) throw new ServerRefusal(refusal);
    return device;
  }

  matching(target: Target): SimulatedDevice[] {
    return this.attached().filter((device) => this.#matches(device, target));
  }

  #matches(device: SimulatedDevice, target: Target): boolean {
    switch (target.by) {
      case 'any':
        return true;
      case 'usb':
        return device.parts.description.connection === 'usb';
      case 'local':
        return device.parts.description.connection === 'tcp';
      case 'transport-id':
        return String(this.#ids.get(device)) === target.id;
      case 'serial':
        return answersTo(device, target.serial);
    }
  }

  #number(device: SimulatedDevice): void {
    if (!device.attached) this.#ids.delete(device);
    else if (!this.#ids.has(device)) this.#ids.set(device, (this.#lastId += 1));
  }

  /** What `host:devices` says, or `host:devices-l`. */
  listing(long: boolean): string {
    return this.attached()
      .map((device) => this.#line(device, long))
      .join('');
  }

  #line(device: SimulatedDevice, long: boolean): string {
    if (!long) return `${device.serial}\t${stateText(device.state)}\n`;
    const { devpath } = device.parts.description;
    const known = device.state === 'device' || device.state === 'recovery' || device.state === 'sideload';
    const facts = known
      ? ['product', 'model', 'device'].map((key) => `${key}:${factOf(device, key as keyof typeof FACTS)}`)
      : [];
    const words = [
      device.serial.padEnd(22),
      stateText(device.state),
      ...(devpath === undefined ? [] : [devpath]),
      ...facts,
      `transport_id:${this.#ids.get(device) ?? 0}`,
    ];
    return `${words.join(' ')}\n`;
  }
}

const FACTS = {
  product: 'ro.product.name',
  model: 'ro.product.model',
  device: 'ro.product.device',
} as const;

/** adbd's banner has room for so much. */
const LONGEST_FACT = 256;

/** What the device's banner says, with everything but letters and digits made an underscore, as adb shows it. */
function factOf(device: SimulatedDevice, fact: keyof typeof FACTS): string {
  return (device.properties.get(FACTS[fact]) ?? '').slice(0, LONGEST_FACT).replace(/[^A-Za-z0-9]/g, '_');
}

/** Whether `-s NAME` means the device. */
function answersTo(device: SimulatedDevice, name: string): boolean {
  if (name === device.serial || name === device.parts.description.devpath) return true;
  return (Object.keys(FACTS) as (keyof typeof FACTS)[]).some(
    (key) => name.startsWith(`${key}:`) && name === `${key}:${factOf(device, key)}`,
  );
}

function stateText(state: DeviceState): string {
  return state === 'no permissions'
    ? 'no permissions (user in plugdev group; are your udev rules wrong?); see [http://developer.android.com/tools/device.html]'
    : state;
}

function notFound(target: Target): string {
  if (target.by === 'serial') return `device '${target.serial}' not found`;
  if (target.by === 'transport-id') return `no device with transport id '${target.id}'`;
  return 'no devices/emulators found';
}

function ambiguous(target: Target): string {
  if (target.by === 'usb') return 'more than one device';
  if (target.by === 'local') return 'more than one emulator';
  return target.by === 'serial'
    ? `more than one device with serial ${target.serial}`
    : 'more than one device/emulator';
}
