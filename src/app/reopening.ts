import type { AdbServer } from '../adb/adb-server';
import { reopenAfterRestart } from '../adb/reopen';
import type { Work } from '../core/work';
import type { Reopen } from '../device/privilege';

/** How the ladder to root comes by a device again whose adbd restarts as root. */
export function reopening(server: AdbServer, { times }: Pick<Work, 'times'>): Reopen {
  return (before, signal) => reopenAfterRestart(server, before, { signal, timeout: times.restart });
}
