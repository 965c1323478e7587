import { createHash } from 'node:crypto';

const LONGEST = 100;
const KEPT_OF_LONG = 80;

/**
 * A serial number or a kernel release as the name of a file or folder: at most
 * 100 bytes of `[A-Za-z0-9._+-]`, valid on every disk that kh may meet.
 *
 * A text that is such a name already stays as it is. Any other is cleaned, and
 * gets `~` and a hash of the text behind it, so that two texts do not end up
 * under one name; `~` is not among the characters kept, so neither does a
 * plain name.
 *
 * Disks may fold case. A text in which upper and lower case mix therefore gets
 * a hash too. `KHRIG0001` and `6.1.75-android14` both stay readable; that a
 * `khrig0001` beside a `KHRIG0001` is another device is seen to by the device
 * claims, which hold the serial number itself.
 */
export function diskName(text: string): string {
  return isPlain(text) ? text : `${cleaned(text)}~${shortHash(text)}`;
}

/** A name that may have come from `diskName` already, fit for the disk in any case. */
export function asDiskName(name: string): string {
  return /^[A-Za-z0-9_+][A-Za-z0-9._+-]{0,99}~[0-9a-f]{10}$/.test(name) ? name : diskName(name);
}

/** 10 hex digits that stand for `text`. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text, 'utf16le').digest('hex').slice(0, 10);
}

function isPlain(text: string): boolean {
  if (text.length > LONGEST || (/[a-z]/.test(text) && /[A-Z]/.test(text))) return false;
  return /^[A-Za-z0-9_+][A-Za-z0-9._+-]*$/.test(text) && !text.endsWith('.') && !isReserved(text);
}

/** With a leading `_` where the name would be hidden, an option, or a Windows device. */
function cleaned(text: string): string {
  const kept = text.slice(0, KEPT_OF_LONG).replace(/[^A-Za-z0-9._+-]/g, '_');
  return /^[A-Za-z0-9_+]/.test(kept) && !isReserved(kept) ? kept : `_${kept}`;
}

/** Names that Windows takes for devices, with any extension. */
function isReserved(name: string): boolean {
  return /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name);
}
