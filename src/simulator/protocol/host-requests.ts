import type { Target } from './transports';

/** A host service, and the device that it is asked about. */
export interface HostRequest {
  target: Target;
  /** What is left without the address: `features`, `wait-for-any-disconnect`, … */
  service: string;
  /** Set where the connection is to be handed over to the device. */
  handover?: 'transport' | 'tport';
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
      return parseHandover(rest) ?? { target: { by: 'any' }, service: rest };
  }
}

function leadingSerial(text: string, serials: readonly string[]): string {
  const known = serials
    .filter((serial) => text.startsWith(`${serial}:`))
    .sort((one, other) => other.length - one.length)[0];
  if (known !== undefined) return known;
  return /^(?:(?:usb|product|model|device|tcp|udp):)?[^:]*(?::\d+(?=:|$))?/.exec(text)?.[0] ?? '';
}

/** `transport:SERIAL`, `transport-any`, `transport-id:ID`, `tport:serial:SERIAL`, `tport:any`, … */
function parseHandover(rest: string): HostRequest | undefined {
  const handover = rest.startsWith('tport:') ? 'tport' : 'transport';
  const target = handoverTarget(rest);
  return target === undefined ? undefined : { service: '', handover, target };
}

function handoverTarget(rest: string): Target | undefined {
  const serial = /^(?:transport|tport:serial):(.*)$/s.exec(rest)?.[1];
  if (serial !== undefined) return { by: 'serial', serial };
  const id = /^transport-id:(.*)$/s.exec(rest)?.[1];
  if (id !== undefined) return { by: 'transport-id', id };
  const scope = /^(?:transport-|tport:)(any|usb|local)$/.exec(rest)?.[1];
  return scope === undefined ? undefined : { by: scope as 'any' | 'usb' | 'local' };
}
