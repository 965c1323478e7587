import type { Target } from './transports';

/** A host service, and the device that it is asked about. */
export interface HostRequest {
  target: Target;
  /** What is left without the address: `features`, `transport`, `wait-for-any-disconnect`, … */
  service: string;
}

/**
 * Takes a request to the adb server apart. Serials may hold colons: those that
 * are attached are tried first, then adb's own reading (`usb:1-4`, `host:port`,
 * `model:X`).
 *
 * @returns undefined for what is no host service
 * @see AOSP packages/modules/adb/SERVICES.TXT
 */
export function parseHostRequest(request: string, serials: readonly string[]): HostRequest | undefined {
  const address = /^host(|-usb|-local|-serial|-transport-id):/.exec(request);
  if (address === null) return undefined;
  const rest = request.slice(address[0].length);
  switch (address[1] ?? '') {
    case '-usb':
      return { target: { by: 'usb' }, service: rest };
    case '-local':
      return { target: { by: 'local' }, service: rest };
    case '-serial': {
      const serial = leadingSerial(rest, serials);
      return { target: { by: 'serial', serial }, service: rest.slice(serial.length + 1) };
    }
    case '-transport-id': {
      const id = /^\d*/.exec(rest)?.[0] ?? '';
      return { target: { by: 'transport-id', id }, service: rest.slice(id.length + 1) };
    }
    default:
      return parseTransport(rest) ?? { target: { by: 'any' }, service: rest };
  }
}

function leadingSerial(text: string, serials: readonly string[]): string {
  const known = serials
    .filter((serial) => text.startsWith(`${serial}:`))
    .sort((one, other) => other.length - one.length)[0];
  if (known !== undefined) return known;
  return /^(?:(?:usb|product|model|device|tcp|udp):)?[^:]*(?::\d+(?=:|$))?/.exec(text)?.[0] ?? '';
}

function parseTransport(rest: string): HostRequest | undefined {
  const match = /^(transport|tport)(-id)?[:-](.*)$/s.exec(rest);
  if (match === null) return undefined;
  const [, service = '', byId, named = ''] = match;
  if (service === 'tport') {
    return named.startsWith('serial:')
      ? { service, target: { by: 'serial', serial: named.slice('serial:'.length) } }
      : { service, target: anyOf(named) };
  }
  if (byId !== undefined) return { service, target: { by: 'transport-id', id: named } };
  return rest.startsWith('transport:')
    ? { service, target: { by: 'serial', serial: named } }
    : { service, target: anyOf(named) };
}

function anyOf(kind: string): Target {
  return { by: kind === 'usb' || kind === 'local' ? kind : 'any' };
}
