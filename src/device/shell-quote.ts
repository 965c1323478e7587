/**
 * A word that any POSIX shell reads back as `text`: the only way in which a
 * value from a device or a user enters a command line.
 *
 * @throws RangeError for NUL, which no command line can hold
 */
export function shellQuote(text: string): string {
  if (text.includes('\0')) throw new RangeError('a shell word cannot hold NUL');
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
