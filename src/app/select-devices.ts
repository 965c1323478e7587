import type { ListedDevice } from '../adb/device-list';
import { matchesSelector } from '../adb/device-selector';
import { KhError } from '../core/errors';

/** Which of the attached devices are meant. Selectors are what `adb -s` takes. */
export interface DeviceSelection {
  serials: string[];
  all: boolean;
  exclude: string[];
}

/**
 * The devices that a selection names: those of `serials` in the order asked,
 * else all, else the only one there is. A device named twice counts once.
 *
 * @throws KhError DEVICE_NONE, DEVICE_NOT_FOUND, DEVICE_AMBIGUOUS
 */
export function selectDevices(attached: ListedDevice[], selection: DeviceSelection): ListedDevice[] {
  const candidates = attached.filter(
    (device) => !selection.exclude.some((selector) => matchesSelector(device, selector)),
  );
  if (selection.serials.length > 0) {
    return [...new Set(selection.serials.map((selector) => selectOne(candidates, selector)))];
  }
  if (candidates.length === 0) throw noDevice(attached.length > 0);
  if (!selection.all && candidates.length > 1) {
    throw new KhError('DEVICE_AMBIGUOUS', {
      message: `${candidates.length} devices are attached: ${names(candidates)}`,
      hint: 'Choose with -s SERIAL (may be repeated), or take them all with --all.',
      details: { serials: candidates.map(({ serial }) => serial) },
    });
  }
  return candidates;
}

/**
 * As `selectDevices`, but of several that are named, one that is not there is
 * an error in its place: it does not stop the others.
 *
 * @throws KhError as `selectDevices`; where several are named, only if none is there
 */
export function selectEach(attached: ListedDevice[], selection: DeviceSelection): (ListedDevice | KhError)[] {
  if (selection.serials.length < 2) return selectDevices(attached, selection);
  const chosen = selection.serials.flatMap((serial): (ListedDevice | KhError)[] => {
    try {
      return selectDevices(attached, { ...selection, serials: [serial] });
    } catch (error) {
      if (error instanceof KhError) return [error];
      throw error;
    }
  });
  const [first] = chosen;
  if (first instanceof KhError && chosen.every((one) => one instanceof KhError)) throw first;
  return [...new Set(chosen)];
}

function selectOne(candidates: ListedDevice[], selector: string): ListedDevice {
  const matches = candidates.filter((device) => matchesSelector(device, selector));
  const [match] = matches;
  if (match === undefined) {
    throw new KhError('DEVICE_NOT_FOUND', {
      serial: selector,
      message: 'no such device is attached',
      hint:
        candidates.length === 0
          ? 'Nothing is attached. Is USB debugging on, and the cable in?'
          : `Attached: ${names(candidates)}.`,
      details: { serials: candidates.map(({ serial }) => serial) },
    });
  }
  if (matches.length > 1) {
    throw new KhError('DEVICE_AMBIGUOUS', {
      serial: selector,
      message: `${matches.length} attached devices answer to this: ${names(matches)}`,
      hint: matches.every(({ devpath }) => devpath !== undefined)
        ? 'Name one by the port it is in: -s usb:…, as `kh devices --json` shows it.'
        : 'Name one by its serial, or by the port it is in, as `kh devices --json` shows them.',
      details: { devpaths: matches.map(({ devpath }) => devpath ?? null) },
    });
  }
  return match;
}

function noDevice(excluded: boolean): KhError {
  if (excluded) {
    const hint = 'Leave out --exclude, or make it narrower.';
    return new KhError('DEVICE_NONE', { message: 'every attached device is excluded', hint });
  }
  return new KhError('DEVICE_NONE', {
    message: 'no device is attached',
    hint: 'Is USB debugging on, and the cable in? `kh devices` shows what adb sees; over a network: `adb connect HOST`.',
  });
}

function names(devices: ListedDevice[]): string {
  return devices
    .map(({ serial, devpath, state }) => {
      const where = devpath === undefined ? '' : ` (${devpath})`;
      return `${serial}${where}${state === 'device' ? '' : ` [${state}]`}`;
    })
    .join(', ');
}
