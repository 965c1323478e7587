/** A place in a line, in characters; the end is behind the last one. */
export interface Span {
  start: number;
  end: number;
}

/** A line that matches, or one beside it that was asked for. */
export interface FoundLine {
  /** From 1. */
  number: number;
  /** Without its line feed. */
  text: string;
  /** Where the pattern matches; none in a line that only stands beside one. */
  matches: Span[];
}

export interface SearchLimits {
  /** Lines to show before and after each that matches. */
  before: number;
  after: number;
  /** Whether one line that matches says all that is asked. */
  first: boolean;
}

/**
 * The lines of `text` between `start` and `end` that match, with those beside
 * them, in their order. A line feed at the end ends the last line.
 *
 * @param pattern as `linePattern` makes it
 */
export function searchText(
  text: string,
  { start, end }: Span,
  pattern: RegExp,
  { before, after, first }: SearchLimits,
): FoundLine[] {
  if (start === end) return [];
  const last = text[end - 1] === '\n' ? end - 1 : end; // where the last line ends
  const found: FoundLine[] = [];
  const counter = lineCounter(text, start);
  let shown = start; // where the lines begin that have not been shown
  let owed = 0; // lines to show yet behind the last match
  const show = (at: number, matches: Span[]) => {
    const stop = lineEnd(text, at, last);
    found.push({ number: counter(at), text: text.slice(at, stop), matches });
    shown = stop + 1;
  };
  const payTo = (limit: number) => {
    for (; owed > 0 && shown < limit; owed -= 1) show(shown, []);
  };
  for (let from = start; from <= last;) {
    pattern.lastIndex = from;
    const match = pattern.exec(text);
    if (match === null || match.index > last) break;
    const at = lineStart(text, match.index, start);
    const stop = lineEnd(text, at, last);
    from = stop + 1;
    const matches = matchesIn(text.slice(at, stop), pattern);
    if (matches.length === 0) continue;
    payTo(at);
    for (const line of linesBefore(text, at, before, Math.max(start, shown))) show(line, []);
    show(at, matches);
    if (first) return found;
    owed = after;
  }
  payTo(last + 1);
  return found;
}

function matchesIn(line: string, pattern: RegExp): Span[] {
  pattern.lastIndex = 0;
  return [...line.matchAll(pattern)].map(({ index, 0: { length } }) => ({
    start: index,
    end: index + length,
  }));
}

function lineStart(text: string, at: number, start: number): number {
  return Math.max(start, at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1);
}

function lineEnd(text: string, at: number, end: number): number {
  const feed = text.indexOf('\n', at);
  return feed === -1 || feed > end ? end : feed;
}

/** Where the lines begin that stand before the one at `at`: as many as asked for, none before `start`. */
function linesBefore(text: string, at: number, count: number, start: number): number[] {
  const lines: number[] = [];
  for (let line = at; lines.length < count && line > start;) {
    line = lineStart(text, line - 1, start);
    lines.unshift(line);
  }
  return lines;
}

/** Tells the number of the line that begins at a place; asked for places in rising order. */
function lineCounter(text: string, start: number): (at: number) => number {
  let number = 1;
  let counted = start;
  return (at) => {
    for (
      let feed = text.indexOf('\n', counted);
      feed !== -1 && feed < at;
      feed = text.indexOf('\n', counted)
    ) {
      number += 1;
      counted = feed + 1;
    }
    return number;
  };
}
