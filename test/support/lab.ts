import { storedXz } from '../../fixtures/archives/stored-xz';
import { makeSampleTar } from '../../src/archive/sample-archive';
import type { FaultDescription, FaultKind, FaultPoint } from '../../src/simulator/faults';
import type {
  DeviceDescription,
  HeadersDescription,
  KernelDescription,
  LabDescription,
} from '../../src/simulator/lab/lab-description';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/simulator';

const running: Simulator[] = [];

/**
 * Starts a lab in this process; it is closed after the test. A failure of the
 * simulator itself fails the test that met it.
 */
export async function startLab(lab: LabDescription, options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(lab, options);
  running.push(simulator);
  return simulator;
}

afterEach(async () => {
  const simulators = running.splice(0);
  await Promise.all(simulators.map((simulator) => simulator.close()));
  expect(simulators.flatMap(({ errors }) => errors)).toEqual([]);
});

/** A phone whose kernel has its headers built in, readable to all. */
export function pixel(more: Partial<DeviceDescription> = {}): DeviceDescription {
  return {
    serial: 'PIXEL',
    model: 'Pixel 8',
    product: 'shiba',
    kernel: { release: '6.1.145-android14-11-gc1de4747ac59-ab14219743' },
    headers: { kind: 'built-in' },
    ...more,
  };
}

/** A userdebug phone with the headers in a module. */
export function modulePhone(more: Partial<DeviceDescription> = {}): DeviceDescription {
  return {
    serial: 'MODULE',
    model: 'Pixel 10',
    product: 'frankel',
    android: '16',
    sdk: 36,
    kernel: { release: '6.12.38-android16-5-gb575a0b6e647-ab14355190-4k' },
    headers: { kind: 'module' },
    adbRoot: 'allowed',
    su: 'aosp',
    ...more,
  };
}

/** A virtual device with a kernel for x86. */
export function cuttlefish(more: Partial<DeviceDescription> = {}): DeviceDescription {
  return {
    serial: 'CUTTLEFISH',
    model: 'Cuttlefish x86_64 phone',
    product: 'vsoc_x86_64',
    android: '15',
    sdk: 35,
    kernel: { release: '6.6.30-android15-8-gdd9c02ccfe27-ab11987101', machine: 'x86_64' },
    ...more,
  };
}

/** For counting transfers: kh asks for this file in the same way as for the archive. */
export const NO_CONFIG = { '/proc/config.gz': null };

/** An archive that takes several packets to transfer: some 400 KB, as it is stored without compression. */
export async function largeArchive({ release = '6.1.0', machine = 'aarch64' }: KernelDescription = {}) {
  return storedXz([await makeSampleTar({ release, machine, extraHeaders: 100 })]);
}

/** The same device with a large archive. */
export async function withLargeArchive(device: DeviceDescription): Promise<DeviceDescription> {
  const archive = await largeArchive(device.kernel);
  return { ...device, headers: { kind: 'built-in', ...device.headers, archive } as HeadersDescription };
}

export function closeAt(on: FaultPoint, at: number): FaultDescription {
  return fault('close', on, at);
}

export function hangAt(on: FaultPoint, at: number): FaultDescription {
  return fault('hang', on, at);
}

export function fault(kind: FaultKind, on: FaultPoint, at: number): FaultDescription {
  return { kind, on, at };
}
