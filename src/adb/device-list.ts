/**
 * A line of `host:devices-l`.
 *
 * `state` is adb's own token: device, offline, unauthorized, authorizing,
 * connecting, recovery, rescue, sideload, bootloader, host, detached,
 * "no permissions", or one of a later adb.
 */
export interface ListedDevice {
  serial: string;
  state: string;
  /** Port the cable is in (`usb:1-4`, or `1-4` from libusb); absent over TCP. */
  devpath?: string;
  product?: string;
  model?: string;
  device?: string;
  transportId?: string;
  /** What follows the state in brackets, as with "no permissions (user in plugdev group; …)". */
  note?: string;
}
