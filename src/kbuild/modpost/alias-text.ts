/** Upper case, as devices announce themselves. */
export function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}

/** Open at its end: later kernels may announce more of a device. */
export function open(alias: string): string {
  return alias.endsWith('*') ? alias : `${alias}*`;
}

/** A field of fixed size with a string that may fill it. */
export function fieldText(entry: Buffer, from: number, to: number): string {
  const field = entry.subarray(from, to);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end === -1 ? field.length : end);
}
