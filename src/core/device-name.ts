/**
 * What a device goes by: its adb serial, with the server in front where the
 * run is over several and the server is therefore named. `-s` takes both.
 */
export function deviceName(device: { serial: string; server?: string | undefined }): string {
  return device.server === undefined ? device.serial : `${device.server}/${device.serial}`;
}
