const MATCHES_NOTHING = /(?!)/;

/**
 * A shell pattern (`*`, `?`, `[a-z]`, `[!…]`, `\` before what is meant
 * literally) as a regular expression over a whole text.
 */
export function patternToRegExp(pattern: string): RegExp {
  try {
    return new RegExp(`^${patternSource(pattern)}$`, 's');
  } catch (error) {
    if (error instanceof SyntaxError) return MATCHES_NOTHING; // a range such as [z-a]
    throw error;
  }
}

/** How `${text#pattern}` and its relatives cut: the part of `text` that is left. */
export function trimPattern(text: string, pattern: string, operator: '#' | '##' | '%' | '%%'): string {
  const whole = patternToRegExp(pattern);
  const lengths = Array.from({ length: text.length + 1 }, (_, length) => length);
  if (operator === '##' || operator === '%%') lengths.reverse();
  for (const length of lengths) {
    const start = operator.startsWith('#');
    const part = start ? text.slice(0, length) : text.slice(text.length - length);
    if (whole.test(part)) return start ? text.slice(length) : text.slice(0, text.length - length);
  }
  return text;
}

/** Makes every character of `text` stand for itself in a pattern. */
export function escapePattern(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&');
}

export function hasWildcards(pattern: string): boolean {
  return /(?:^|[^\\])(?:\\\\)*[*?[]/.test(pattern);
}

function patternSource(pattern: string): string {
  let source = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern.charAt(at);
    const bracket = character === '[' ? /^\[[!^]?\]?[^\]]*\]/.exec(pattern.slice(at))?.[0] : undefined;
    if (bracket !== undefined) {
      source += bracketSource(bracket);
      at += bracket.length - 1;
    } else if (character === '\\') {
      at += 1;
      source += literal(pattern.charAt(at));
    } else if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else source += literal(character);
  }
  return source;
}

function bracketSource(bracket: string): string {
  const negated = /^\[[!^]/.test(bracket);
  const members = bracket.slice(negated ? 2 : 1, -1).replace(/[\\\]^[]/g, '\\$&');
  return `[${negated ? '^' : ''}${members}]`;
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
