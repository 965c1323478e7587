/** Units of size, powers of 1024, as du(1) and ls(1) take them: 20G, 20GB and 20GiB are the same. */
const SIZES = ['', 'K', 'M', 'G', 'T'];

/** @returns bytes; undefined for what is no size */
export function parseSize(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text.trim()) ?? [];
  const bytes = Math.round(Number(amount) * 1024 ** SIZES.indexOf(unit.toUpperCase()));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const DAY = 24 * 3600_000;
const AGES: Record<string, number> = { h: 3600_000, d: DAY, w: 7 * DAY };

/**
 * Reads how old something is: "12h", "30d", "6w".
 *
 * @returns milliseconds; undefined for what is no age
 */
export function parseAge(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)([hdw])$/.exec(text.trim()) ?? [];
  const milliseconds = Math.round(Number(amount) * (AGES[unit] ?? Number.NaN));
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
}
