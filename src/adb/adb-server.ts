import type { AdbDevice, CallOptions } from './adb-device';
import type { ListedDevice } from './device-list';
import type { AdbServerAddress } from './server-address';

/** A running adb server. Obtained from `connectServer`, which starts one where that is possible. */
export interface AdbServer {
  readonly address: AdbServerAddress;
  /** Protocol version: 41 for platform-tools 29 and later. */
  readonly version: number;
  /** What is attached, in the server's order, in every state. */
  listDevices(options: CallOptions): Promise<ListedDevice[]>;
  /** Every change of the list, beginning with the present one; ends when the signal fires. */
  trackDevices(options: CallOptions): AsyncGenerator<ListedDevice[], void, undefined>;
  /** Pins a device that is in state `device` (or `recovery`), and asks for its features. */
  open(listed: ListedDevice, options: CallOptions): Promise<AdbDevice>;
}
