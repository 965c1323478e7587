import { setTimeout as sleep } from 'node:timers/promises';
import type { SimulatedDevice } from '../simulated-device';
import { makeKernelImage } from './kernel-image';
import type { LabArchives } from './lab-archives';
import type { BootDescription, ChangeDescription, ChangeTimes, DeviceDescription } from './lab-description';

/**
 * Lets the changes of a device's description come over it, each at its time,
 * until the signal fires. A change whose archive can't be made is told to `onError`.
 */
export function startChanges(
  device: SimulatedDevice,
  description: DeviceDescription,
  archives: LabArchives,
  until: { signal: AbortSignal; onError: (error: unknown) => void },
): void {
  for (const change of description.changes ?? []) {
    atTimes(change, (round) => comeOver(device, change, round, description, archives), until);
  }
}

/** Runs `action` at its times; `round` counts them from 0. One is over before the next begins. */
export function atTimes(
  { afterMs, everyMs }: ChangeTimes,
  action: (round: number) => Promise<void> | void,
  { signal, onError }: { signal: AbortSignal; onError: (error: unknown) => void },
): void {
  const run = async () => {
    for (let round = 0; round === 0 || everyMs !== undefined; round += 1) {
      await sleep(round === 0 ? afterMs : everyMs, undefined, { signal, ref: false });
      await action(round);
    }
  };
  run().catch((error: unknown) => {
    if (!signal.aborted) onError(error);
  });
}

async function comeOver(
  device: SimulatedDevice,
  change: ChangeDescription,
  round: number,
  description: DeviceDescription,
  archives: LabArchives,
): Promise<void> {
  const { forMs } = change;
  switch (change.do) {
    case 'vanish':
      device.unplug(forMs);
      break;
    case 'hang':
      device.hang(forMs);
      break;
    case 'state':
      device.setState(change.state, forMs);
      break;
    case 'fault':
      device.suffer(change.fault, forMs);
      break;
    case 'rename':
      device.rename(inTurn(change.serials, round) ?? device.serial);
      break;
    case 'reboot': {
      const into = inTurn(change.into ?? [], round);
      device.reboot(into && (await rebootImage(into, description, archives)), forMs);
    }
  }
}

/** What a device boots when it is told to boot something else; what is not said stays as in its description. */
export function rebootImage(
  into: Pick<BootDescription, 'kernel' | 'headers'>,
  description: BootDescription,
  archives: LabArchives,
) {
  const kernel = { ...description.kernel, ...into.kernel };
  return makeKernelImage({ ...description, ...into, kernel }, archives);
}

function inTurn<T>(items: readonly T[], round: number): T | undefined {
  return items[round % items.length];
}
