import type { KhEvent } from '../../core/events';
import type { DeviceOutcome } from '../../core/outcome';
import type { Context } from '../context';
import type { LabDevice } from '../lab/reach-lab';
import { workOnDevice } from '../over-devices';
import { pullHeaders, type PulledHeaders, type PullOptions } from '../pull-headers';
import type { Tell, WatchEvent } from './watch-events';

export interface MemberPull {
  pull: PullOptions;
  /** Also the steps that matter only when looking for a fault. */
  verbose: boolean;
  tell: Tell;
  context: Omit<Context, 'emit'>;
}

/** Pulls for one device; what it tells is told as the watch tells it. Never rejects. */
export function pullMember(
  device: LabDevice,
  { pull, verbose, tell, context }: MemberPull,
): Promise<DeviceOutcome<PulledHeaders>> {
  const emit = (event: KhEvent) => {
    const told = watchEvent(event, { server: device.server.name, serial: device.serial });
    if (told !== undefined && (verbose || told.type !== 'pull.step')) tell(told);
  };
  return workOnDevice(device, { ...context, emit }, (attached, within) =>
    pullHeaders(attached, pull, within),
  );
}

/** An event of a pull as one of the watch; the end of a pull is told by the watch itself. */
function watchEvent(event: KhEvent, about: { server: string; serial: string }): WatchEvent | undefined {
  if (event.type === 'warning') return { type: 'warning', ...about, message: event.message };
  const isUntold =
    event.type === 'pull.progress' || event.type === 'device.failed' || event.type === 'headers.ready';
  return isUntold ? undefined : { type: 'pull.step', ...about, step: event };
}
