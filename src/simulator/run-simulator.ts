import { once } from 'node:events';
import { dirname } from 'node:path';
import type { ArchiveDescription, DeviceDescription, LabDescription } from './lab/lab-description';
import { readLab } from './lab/read-lab';
import { startSimulator, type Simulator } from './simulator';

export interface RunSimulatorOptions {
  /** A lab file; without one, a small lab that shows every kind of headers. */
  labFile?: string | undefined;
  /** Any that is free, when left out. */
  port?: number | undefined;
  /** Without a lab file: so many devices, all with readable headers, in three kernels. */
  devices?: number | undefined;
  /** Ends the simulator. */
  signal: AbortSignal;
  /** Called once, when clients can connect. */
  onReady?: (simulator: Simulator) => void;
}

/**
 * Runs an adb server with simulated devices until the signal fires, as
 * `kh simulate` does. It prints nothing: `onReady` says where it listens.
 *
 * @throws KhError USAGE for a lab file or a port that can't be used; XZ_UNAVAILABLE
 */
export async function runSimulator(options: RunSimulatorOptions): Promise<void> {
  const { labFile, port = 0, devices, signal, onReady } = options;
  const lab = labFile === undefined ? builtInLab(devices) : await readLab(labFile);
  if (signal.aborted) return;
  const folder = labFile === undefined ? process.cwd() : dirname(labFile);
  const ended = once(signal, 'abort');
  const simulator = await startSimulator(lab, { port, folder });
  try {
    onReady?.(simulator);
    await ended;
  } finally {
    await simulator.close();
  }
}

/** Large enough for progress to be seen, small enough to be made at once. */
const ARCHIVE: ArchiveDescription = { sample: { extraHeaders: 150 } };

const RELEASES = [
  '6.1.145-android14-11-gc1de4747ac59-ab14219743',
  '6.12.38-android16-5-gb575a0b6e647-ab14355190-4k',
  '5.15.148-android13-8-g1c2aa53515b7',
];

/** The lab of `kh simulate` without a file: a few phones that differ, or `count` that do not. */
export function builtInLab(count?: number): LabDescription {
  if (count === undefined) return { version: 1, devices: SHOWCASE };
  const devices = Array.from({ length: count }, (_, index): DeviceDescription => ({
    serial: `SIM${String(index + 1).padStart(4, '0')}`,
    model: 'Simulated Phone',
    kernel: { release: RELEASES[index % RELEASES.length] ?? '' },
    headers: { kind: 'built-in', archive: ARCHIVE },
  }));
  return { version: 1, devices };
}

const SHOWCASE: DeviceDescription[] = [
  {
    serial: 'SIMBUILTIN',
    model: 'Phone One',
    product: 'one',
    android: '14',
    sdk: 34,
    kernel: { release: RELEASES[0] ?? '' },
    headers: { kind: 'built-in', archive: ARCHIVE },
  },
  {
    serial: 'SIMMODULE',
    model: 'Phone Two',
    product: 'two',
    android: '16',
    sdk: 36,
    kernel: { release: RELEASES[1] ?? '' },
    headers: { kind: 'module', archive: ARCHIVE },
    adbRoot: 'allowed',
    su: 'aosp',
  },
  {
    serial: '192.0.2.7:5555',
    serialno: 'SIMROOTED',
    model: 'Phone Three',
    product: 'three',
    android: '13',
    sdk: 33,
    connection: 'tcp',
    kernel: { release: RELEASES[2] ?? '' },
    headers: { kind: 'denied', archive: ARCHIVE },
    su: 'magisk',
  },
];
