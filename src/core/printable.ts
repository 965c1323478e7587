const LONGEST = 4000;

/**
 * Text from a device or an archive, made safe for a terminal and a log line:
 * control bytes, escape sequences, line and direction overrides and lone
 * surrogates become visible `\x1b` or `\u202e` forms. New lines and tabs
 * stay only where `multiline` is asked for; long text is cut.
 */
export function printable(text: string, { multiline = false } = {}): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length - LONGEST} more)` : text;
  return cut.replace(UNSAFE, (character) => {
    if (multiline && (character === '\n' || character === '\t')) return character;
    const code = character.charCodeAt(0);
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** JSON that says the same, with what could act on a terminal in the form of `\u` escapes. */
export function printableJson(json: string): string {
  return json.replace(UNSAFE, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
