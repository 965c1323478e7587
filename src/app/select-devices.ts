import { matchesSelector } from '../adb/device-selector';
import { KhError } from '../core/errors';
import type { Lab, LabDevice, LostServer } from './lab/reach-lab';

/** Which of the attached devices are meant. Selectors are what `adb -s` takes, with or without `server/` in front. */
export interface DeviceSelection {
  serials: string[];
  all: boolean;
  exclude: string[];
  /** Where none is named, only these count as attached; left out: every one. */
  only?: readonly string[];
}

/** What of a lab a selection is made from. */
export type Attached = Pick<Lab, 'devices' | 'lost'>;

/** Whether a selector means this device, at any server or at the one that it names. */
export function isMeant(device: LabDevice, selector: string): boolean {
  const prefix = `${device.server.name}/`;
  return (
    matchesSelector(device, selector) ||
    (selector.startsWith(prefix) && matchesSelector(device, selector.slice(prefix.length)))
  );
}

/** The attached devices that a selection leaves to choose from. */
export function candidatesOf(
  { devices }: Attached,
  { serials, exclude, only }: DeviceSelection,
): LabDevice[] {
  const isAny = (device: LabDevice, selectors: readonly string[]) =>
    selectors.some((selector) => isMeant(device, selector));
  const left = devices.filter((device) => !isAny(device, exclude));
  return only === undefined || serials.length > 0 ? left : left.filter((device) => isAny(device, only));
}

/**
 * The devices that a selection names: those of `serials` in the order asked,
 * else all, else the only one there is. A device named twice counts once.
 *
 * Where a server of the lab is not reached, nobody knows whether a device is
 * the only one: it has to be named then.
 *
 * @throws KhError DEVICE_NONE, DEVICE_NOT_FOUND, DEVICE_AMBIGUOUS; or what the server that is not reached failed with
 */
export function selectDevices(attached: Attached, selection: DeviceSelection): LabDevice[] {
  const candidates = candidatesOf(attached, selection);
  if (selection.serials.length > 0) {
    const chosen = selection.serials.map((selector) => selectOne(candidates, attached.lost, selector));
    return [...new Set(chosen)];
  }
  const [only, another] = candidates;
  const [lost] = attached.lost;
  if (only === undefined) throw lost?.error ?? noDevice(attached, selection);
  if (selection.all) return candidates;
  if (another !== undefined) {
    throw new KhError('DEVICE_AMBIGUOUS', {
      message: `${candidates.length} devices are attached: ${names(candidates)}`,
      hint: 'Choose with -s SERIAL (may be repeated), or take them all with --all.',
      details: { serials: candidates.map(({ name }) => name) },
    });
  }
  if (lost !== undefined) throw perhapsNotTheOnly(only, lost);
  return candidates;
}

function perhapsNotTheOnly({ name }: LabDevice, { name: server, error }: LostServer): KhError {
  return new KhError(error.code, {
    server,
    message: `${error.reason}; so it is not known whether ${name} is the only device`,
    hint: `Choose it with -s ${name}, or take what is there with --all.`,
    cause: error,
  });
}

/**
 * As `selectDevices`, but of several that are named, one that is not there is
 * an error in its place: it does not stop the others.
 *
 * @throws KhError as `selectDevices`; where several are named, only if none is there
 */
export function selectEach(attached: Attached, selection: DeviceSelection): (LabDevice | KhError)[] {
  if (selection.serials.length < 2) return selectDevices(attached, selection);
  const chosen = selection.serials.flatMap((serial): (LabDevice | KhError)[] => {
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

function selectOne(candidates: LabDevice[], lost: readonly LostServer[], selector: string): LabDevice {
  const matches = candidates.filter((device) => isMeant(device, selector));
  const [match] = matches;
  if (match === undefined) throw notFound(candidates, lost, selector);
  if (matches.length > 1) throw ambiguous(matches, selector);
  return match;
}

/** `host:port`, which is no other form of selector. */
const ADDRESS = /^(?!(usb|product|model|device):)[^/\s]+:\d+$/;

function notFound(candidates: LabDevice[], lost: readonly LostServer[], selector: string): KhError {
  const attached = candidates.length === 0 ? 'Nothing is attached.' : `Attached: ${names(candidates)}.`;
  const remedy = ADDRESS.test(selector)
    ? ` Over a network: \`adb connect ${selector}\`.`
    : candidates.length === 0
      ? ' Is USB debugging on, and the cable in?'
      : '';
  const unknown =
    lost.length === 0 ? '' : ` What is attached to ${lost.map(({ name }) => name).join(', ')} is not known.`;
  return new KhError('DEVICE_NOT_FOUND', {
    serial: selector,
    message: 'no such device is attached',
    hint: attached + remedy + unknown,
    details: { serials: candidates.map(({ name }) => name) },
  });
}

function ambiguous(matches: LabDevice[], selector: string): KhError {
  const servers = new Set(matches.map(({ server }) => server.name));
  return new KhError('DEVICE_AMBIGUOUS', {
    serial: selector,
    message: `${matches.length} attached devices answer to this: ${names(matches)}`,
    hint: howToTellApart(matches, servers.size),
    details: {
      devpaths: matches.map(({ devpath }) => devpath ?? null),
      servers: matches.map(({ server }) => server.name),
    },
  });
}

function howToTellApart(matches: LabDevice[], servers: number): string {
  if (servers > 1) return `Name its server, too: -s ${matches[0]?.name ?? ''}.`;
  return matches.every(({ devpath }) => devpath !== undefined)
    ? 'Name one by the port it is in: -s usb:…, as `kh devices --json` shows it.'
    : 'Name one by its serial, or by the port it is in, as `kh devices --json` shows them.';
}

function noDevice({ devices }: Attached, { only }: DeviceSelection): KhError {
  if (devices.length > 0) {
    const message = 'every attached device is excluded';
    const flagged = 'Leave out --exclude, or make it narrower.';
    const labbed =
      'The lab file says which devices are of the lab: see `kh config`. With -s SERIAL any is taken.';
    return new KhError('DEVICE_NONE', { message, hint: only === undefined ? flagged : labbed });
  }
  return new KhError('DEVICE_NONE', {
    message: 'no device is attached',
    hint: 'Is USB debugging on, and the cable in? `kh devices` shows what adb sees; over a network: `adb connect HOST`.',
  });
}

function names(devices: LabDevice[]): string {
  return devices
    .map(({ name, devpath, state }) => {
      const where = devpath === undefined ? '' : ` (${devpath})`;
      return `${name}${where}${state === 'device' ? '' : ` [${state}]`}`;
    })
    .join(', ');
}
