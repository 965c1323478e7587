import { KhError, type ErrorCode } from '../core/errors';
import type { ListedDevice } from './device-list';

interface Meaning {
  code: ErrorCode;
  message: string;
  hint: string;
}

const UNAUTHORIZED: Meaning = {
  code: 'DEVICE_UNAUTHORIZED',
  message: 'the device has not authorized this computer',
  hint: 'Unlock the phone and accept "Allow USB debugging?" on its screen; in a lab, set ADB_VENDOR_KEYS for the adb server.',
};

const OFFLINE: Meaning = {
  code: 'DEVICE_OFFLINE',
  message: 'the device is offline: adb sees it, but it does not answer',
  hint: 'It may be booting. Else replug it, or run `adb reconnect offline`.',
};

const NO_PERMISSIONS: Meaning = {
  code: 'DEVICE_NO_PERMISSIONS',
  message: 'the adb server may not open the USB device',
  hint: 'On Linux: install udev rules for it (package android-sdk-platform-tools-common), join the group plugdev, then replug.',
};

/** The states in which no shell runs, by adb's token; states that a later adb may add are told as they are. */
const MEANINGS: Partial<Record<string, Meaning>> = {
  unauthorized: UNAUTHORIZED,
  authorizing: UNAUTHORIZED,
  offline: OFFLINE,
  connecting: OFFLINE,
  'no permissions': NO_PERMISSIONS,
  bootloader: wrongState('the device is in its bootloader', 'Start Android with `fastboot reboot`.'),
  recovery: wrongState('the device is in recovery', 'Start Android with `adb reboot`.'),
  rescue: wrongState('the device is in rescue mode', 'Start Android with `adb reboot`.'),
  sideload: wrongState('the device waits for a sideload', 'Start Android from the menu on its screen.'),
  detached: wrongState('the adb server has let go of the device', 'Run `adb attach` for it.'),
};

function wrongState(message: string, hint: string): Meaning {
  return { code: 'DEVICE_WRONG_STATE', message, hint };
}

/** Why a device in this state cannot be used: DEVICE_UNAUTHORIZED, DEVICE_OFFLINE, DEVICE_NO_PERMISSIONS or DEVICE_WRONG_STATE. */
export function stateError({
  serial,
  state,
  note,
}: Pick<ListedDevice, 'serial' | 'state' | 'note'>): KhError {
  const { code, message, hint } =
    MEANINGS[state] ?? wrongState(`the device is in state "${state}"`, 'kh needs it in state "device".');
  return new KhError(code, {
    serial,
    message: note === undefined ? message : `${message} (${note})`,
    hint,
    details: { state },
  });
}
