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

/** The order in which adb prints them; only those that it knows. */
const KEYS = ['product', 'model', 'device', 'transport_id'] as const;

const DEVPATH = /^(?:usb:\S+|\d+-\d+(?:\.\d+)*)$/;

/**
 * Reads the answer to `host:devices-l`, or to `host:devices`.
 *
 * Lines are read by key and from the back: a serial may hold spaces, the
 * state "no permissions (…); see [URL]" does, and any field may be missing.
 * Lines that name no device are left out.
 *
 * @see AOSP packages/modules/adb/transport.cpp, append_transport
 */
export function parseDeviceList(text: string): ListedDevice[] {
  return text.split('\n').flatMap((line) => parseLine(line.replace(/\r$/, '')) ?? []);
}

function parseLine(line: string): ListedDevice | undefined {
  const fields: Partial<Record<(typeof KEYS)[number], string>> = {};
  let rest = line;
  for (const key of KEYS.toReversed()) {
    const start = rest.lastIndexOf(` ${key}:`);
    if (start < 0) continue;
    fields[key] = rest.slice(start + key.length + 2);
    rest = rest.slice(0, start);
  }
  const { head, devpath } = splitDevpath(rest);
  const named = parseSerialAndState(head);
  if (named === undefined) return undefined;
  const { product, model, device, transport_id: transportId } = fields;
  return {
    ...named,
    ...(devpath === undefined ? {} : { devpath }),
    ...(product === undefined ? {} : { product }),
    ...(model === undefined ? {} : { model }),
    ...(device === undefined ? {} : { device }),
    ...(transportId === undefined ? {} : { transportId }),
  };
}

function splitDevpath(text: string): { head: string; devpath?: string } {
  const gap = text.lastIndexOf(' ');
  const last = text.slice(gap + 1);
  return gap > 0 && DEVPATH.test(last) ? { head: text.slice(0, gap), devpath: last } : { head: text };
}

function parseSerialAndState(head: string): Pick<ListedDevice, 'serial' | 'state' | 'note'> | undefined {
  const denied = /^(.*?)[ \t]+no permissions\b(.*)$/.exec(head);
  const [, serial = '', state = '', tail = ''] = denied
    ? [undefined, denied[1], 'no permissions', denied[2]]
    : (/^(.*?)[ \t]+(\S+)$/.exec(head.trimEnd()) ?? []);
  if (serial === '' || state === '') return undefined;
  const note = /\((.*)\)/.exec(tail)?.[1];
  return { serial, state, ...(note ? { note } : {}) };
}
