const DAY = 24 * 3600_000;
const UNITS: Record<string, number> = { h: 3600_000, d: DAY, w: 7 * DAY };

/** No date is further away than this, so that a slip of the pen is not taken for "never". */
const LONGEST = 100 * 366 * DAY;

/**
 * Reads until when something is good: a length of time from `now` on ("12h",
 * "90d", "8w"), a date ("2027-06-30": its first moment in UTC), or a time in UTC.
 *
 * @returns the ISO time; undefined for anything else, and for what has passed
 */
export function parseExpiry(text: string, now: Date): string | undefined {
  const [, amount, unit = ''] = /^(\d{1,6})([hdw])$/.exec(text.trim()) ?? [];
  const time =
    amount === undefined ? parseTime(text.trim()) : now.getTime() + Number(amount) * (UNITS[unit] ?? 0);
  const isAhead = time > now.getTime() && time <= now.getTime() + LONGEST;
  return isAhead ? new Date(time).toISOString() : undefined;
}

/** @returns milliseconds since 1970 of a date, or of a time in UTC; NaN for anything else, and for a 31 February */
export function parseTime(text: string): number {
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z)?$/.test(text)) return Number.NaN;
  const time = Date.parse(text);
  const exists = !Number.isNaN(time) && new Date(time).toISOString().startsWith(text.slice(0, 10));
  return exists ? time : Number.NaN;
}
