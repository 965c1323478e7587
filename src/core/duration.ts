const FORM = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/;
const MILLISECONDS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Reads "90" (seconds), "90s", "5m", "1.5h" or "500ms".
 *
 * @returns milliseconds; undefined for anything else, zero included
 */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit = 's'] = FORM.exec(text.trim()) ?? [];
  const milliseconds = Math.round(Number(amount) * (MILLISECONDS[unit] ?? Number.NaN));
  return milliseconds > 0 && milliseconds <= LONGEST ? milliseconds : undefined;
}

/** What a timer of Node can hold; longer ones would fire at once. */
const LONGEST = 2 ** 31 - 1;
