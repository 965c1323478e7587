import { labServers } from '../../../src/app/lab/lab-servers';
import { overDevices } from '../../../src/app/over-devices';
import type { AttachedDevice, Context } from '../../../src/app/context';
import type { DeviceDescription } from '../../../src/simulator/lab/lab-description';
import type { Simulator } from '../../../src/simulator/simulator';
import { ARCHIVE_LIMITS, TIME_LIMITS } from '../../../src/core/limits';
import type { KhEvent } from '../../../src/core/events';
import { openStore } from '../../../src/store/layout';
import { arm64Image, makeKernel, sampleExports } from '../../../fixtures/images/make-images';

export const RELEASE = '6.1.145-android14-11-gc1de4747ac59-ab14219743';
export const VERSION = '#1 SMP PREEMPT Thu Aug  7 18:51:58 UTC 2025';

/** An Image that names itself as a kernel does, with a few exports. */
export function imageOf({ release = RELEASE, version = VERSION, listed = sampleExports() } = {}): Buffer {
  const banner = `Linux version ${release} (build@host) (clang version 17.0.2, LLD 17.0.2) ${version}\n\0\0\0`;
  const image = arm64Image(makeKernel({ exports: listed }));
  return Buffer.concat([image, Buffer.alloc(3 - ((image.length + 3) % 4)), Buffer.from(banner)]);
}

/** The files of a device whose boot partition holds `image`. */
export function bootFiles(image: Buffer): NonNullable<DeviceDescription['files']> {
  const padded = Buffer.concat([image, Buffer.alloc(512 - (image.length % 512))]);
  return {
    '/dev/block/by-name/boot_a': { base64: padded.toString('base64'), mode: '0600', owner: 'root' },
    '/sys/class/block/boot_a/size': { text: `${padded.length / 512}\n` },
  };
}

/** What a use case is handed, with the store of `home`. */
export async function contextOf(home: string): Promise<Context & { events: KhEvent[] }> {
  const { signal } = new AbortController();
  const events: KhEvent[] = [];
  const emit = (event: KhEvent) => void events.push(event);
  const store = await openStore({ home, signal });
  return { signal, emit, events, store, times: TIME_LIMITS, limits: ARCHIVE_LIMITS };
}

/** Does `work` on one device of a lab, and gives what came of it. Throws what it throws. */
export async function onDevice<T>(
  lab: Simulator,
  home: string,
  serial: string,
  work: (device: AttachedDevice, context: Context) => Promise<T>,
): Promise<T> {
  const options = {
    selection: { serials: [serial], all: false, exclude: [] },
    servers: labServers({ hosts: [lab.host], ports: [lab.port], env: {} }).servers,
    jobs: 1,
    env: { KH_HOME: home },
    times: TIME_LIMITS,
  };
  const base = { signal: new AbortController().signal, emit: () => undefined };
  let thrown: Error | undefined;
  const {
    devices: [outcome],
  } = await overDevices(options, base, async (device, context) => {
    try {
      return await work(device, context);
    } catch (error) {
      thrown = error as Error;
      throw error;
    }
  });
  if (outcome?.status === 'ok') return outcome.result;
  throw thrown ?? new Error(outcome?.error.message);
}
