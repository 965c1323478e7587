import type { AdbDevice } from '../adb/adb-device';
import type { AdbServer } from '../adb/adb-server';
import type { ListedDevice } from '../adb/device-list';
import type { ArchiveLimits } from '../core/limits';
import type { Work } from '../core/work';
import type { Store } from '../store/layout';

/** All that a use case is handed. */
export interface Context extends Work {
  store: Store;
  limits: ArchiveLimits;
}

/** A device that was chosen and opened, and where it was found. */
export interface AttachedDevice {
  server: AdbServer;
  listed: ListedDevice;
  adb: AdbDevice;
}
