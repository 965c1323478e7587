import type { ListedDevice } from './device-list';

/**
 * Whether adb's own `-s selector` would mean this device: its serial, the
 * port it is plugged into, `product:X`, `model:X`, `device:X`, and for a
 * device over TCP `host[:port]` with or without `tcp:` or `udp:`. A host
 * without a port means whichever port the device is at.
 *
 * `model:` is compared as listed, where adb shows all but letters and digits
 * as `_`.
 *
 * @see AOSP packages/modules/adb/transport.cpp, atransport::MatchesTarget
 */
export function matchesSelector(listed: ListedDevice, selector: string): boolean {
  if (selector === '') return false;
  if (selector === listed.serial || selector === listed.devpath) return true;
  if (listed.devpath === undefined && sameNetAddress(listed.serial, selector)) return true;
  return (['product', 'model', 'device'] as const).some(
    (key) => listed[key] !== undefined && listed[key] !== '' && selector === `${key}:${listed[key]}`,
  );
}

function sameNetAddress(serial: string, selector: string): boolean {
  const own = parseNetAddress(serial);
  const wanted = parseNetAddress(selector.replace(/^(?:tcp|udp):/, ''));
  if (own === undefined || wanted === undefined) return false;
  return own.host === wanted.host && (wanted.port === undefined || wanted.port === own.port);
}

/** `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address. */
function parseNetAddress(text: string): { host: string; port: number | undefined } | undefined {
  const bare = text.split(':').length > 2 && !text.startsWith('[');
  const match = bare ? [text, text] : /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [, bracketed, plain, port] = match;
  const host = bracketed ?? plain;
  return host === undefined ? undefined : { host, port: port === undefined ? undefined : Number(port) };
}
