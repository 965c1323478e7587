import { hex, open } from './alias-text';

/** USB_DEVICE_ID_MATCH_*: which fields of an entry count. */
const MATCH = { vendor: 1, product: 2, oldest: 4, newest: 8 };

/** Fields after the device's version: their mark in the alias, place in the entry, and match flag. */
const BYTE_FIELDS = [
  ['dc', 10, 0x10],
  ['dsc', 11, 0x20],
  ['dp', 12, 0x40],
  ['ic', 13, 0x80],
  ['isc', 14, 0x100],
  ['ip', 15, 0x200],
  ['in', 16, 0x400],
] as const;

/** The aliases of a struct usb_device_id: one for each pattern that the range of device versions takes. */
export function usbAliases(entry: Buffer): string[] {
  const flags = entry.readUInt16LE(0);
  const has = (flag: number) => (flags & flag) !== 0;
  const [vendor, product] = [entry.readUInt16LE(2), entry.readUInt16LE(4)];
  // An entry that matches every device is for drivers that choose by code: no alias.
  if (vendor === 0 && product === 0 && entry[10] === 0 && entry[13] === 0) return [];
  const ids = `v${has(MATCH.vendor) ? hex(vendor, 4) : '*'}p${has(MATCH.product) ? hex(product, 4) : '*'}`;
  const rest = BYTE_FIELDS.map(([mark, at, flag]) => mark + (has(flag) ? hex(entry.readUInt8(at), 2) : '*'));
  const oldest = has(MATCH.oldest) ? entry.readUInt16LE(6) : 0;
  const newest = has(MATCH.newest) ? entry.readUInt16LE(8) : 0xffff;
  return versionPatterns(oldest, newest).map((version) => open(`usb:${ids}d${version}${rest.join('')}`));
}

/**
 * Glob patterns for the four digits of every version from `low` to `high`,
 * such as `12[3-9]*`. Versions are written in decimal digits by convention;
 * they are counted in hexadecimal only where a bound has such a digit.
 *
 * Goes from the last digit to the first. What sticks out of the whole
 * groups of ten (or sixteen) at either end becomes a pattern of its own; the
 * groups between are numbers of one digit less.
 */
export function versionPatterns(low: number, high: number): string[] {
  const isHex = [hex(low, 4), hex(Math.min(high, 0x9999), 4)].some((digits) => /[A-F]/.test(digits));
  const base = isHex ? 16 : 10;
  const counted = (bound: number) => parseInt(hex(bound, 4), base);
  let from = counted(low);
  let to = counted(isHex ? high : Math.min(high, 0x9999));
  const found: string[] = [];
  for (let before = 3; from <= to; before--) {
    const [first, last] = [from % base, to % base];
    from = Math.floor(from / base);
    to = Math.floor(to / base);
    if (from === to || before === 0) return [...found, pattern(from, before, [first, last], base)];
    if (first > 0) found.push(pattern(from++, before, [first, base - 1], base));
    if (last < base - 1) found.push(pattern(to--, before, [0, last], base));
  }
  return found;
}

/** The leading digits, a range for the next, and anything behind it. */
function pattern(leading: number, digits: number, [first, last]: [number, number], base: number): string {
  const isAny = first === 0 && last === base - 1;
  const start = digits === 0 ? '' : leading.toString(base).toUpperCase().padStart(digits, '0');
  return start + (isAny ? '' : digitRange(first, last)) + (digits < 3 || isAny ? '*' : '');
}

function digitRange(first: number, last: number): string {
  if (first === last) return hex(first, 1);
  // In a glob, 9 and A are not neighbours.
  const ends = first <= 9 && last > 9 ? `${first}-9A-${hex(last, 1)}` : `${hex(first, 1)}-${hex(last, 1)}`;
  return `[${ends}]`;
}
