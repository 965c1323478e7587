import { randomBytes } from 'node:crypto';
import { printable } from '../core/printable';
import { shellQuote } from './shell-quote';

/** A line of the kernel's log, safe to print. */
export interface LogLine {
  /** Since boot, where the device says it. */
  seconds?: number;
  text: string;
}

/**
 * Tells what the kernel logged while something was done: `before` and `after`
 * go around it, as questions of one script that runs as root.
 */
export interface LogFrame {
  before: string;
  after: string;
  /**
   * What came in between, the oldest first.
   *
   * @param before the answer to the first question; undefined where it did not arrive
   * @param after the answer to the second
   */
  newLines(before: string | undefined, after: string | undefined): LogLine[];
}

/** What is kept of a log that a module floods. */
const MOST_LINES = 500;

/** How far back the mark is looked for: others may log between writing and reading. */
const LOOK_BACK = 20;

/**
 * The place in the log is a line of our own, written to /dev/kmsg. Where the
 * kernel takes none (`printk.devkmsg=off`), the last line that was there
 * serves. A mark that was seen and is gone has been pushed out, and then all
 * that is left is new.
 *
 * @param action what is done, for whoever reads the log: "loading hello"
 * @see linux Documentation/ABI/testing/dev-kmsg
 */
export function frameKernelLog(action: string): LogFrame {
  const mark = `kh ${randomBytes(6).toString('hex')}: `;
  return {
    before: [
      `{ echo ${shellQuote(`${mark}${action}`)} >/dev/kmsg; } 2>/dev/null`,
      `dmesg 2>/dev/null | tail -n ${LOOK_BACK}`,
    ].join('\n'),
    after: 'dmesg 2>/dev/null | cat',
    newLines: (before, after) => {
      const all = linesOf(after);
      const lines = all.slice(startOfNews(before, all, mark));
      const kept = lines.slice(0, MOST_LINES).map(parseLine);
      const more = lines.length - kept.length;
      return more === 0 ? kept : [...kept, { text: `(${more} more lines)` }];
    },
  };
}

function startOfNews(before: string | undefined, after: string[], mark: string): number {
  const marked = after.findIndex((line) => line.includes(mark));
  if (marked >= 0) return marked + 1;
  if (before === undefined) return after.length;
  const last = linesOf(before).at(-1);
  return last === undefined || before.includes(mark) ? 0 : after.lastIndexOf(last) + 1;
}

function linesOf(text: string | undefined): string[] {
  return (text ?? '').split('\n').filter((line) => line.trim() !== '');
}

/** `<4>[   12.345678][  T123] text`: level and thread only where the device shows them. */
function parseLine(line: string): LogLine {
  const [, seconds, text = ''] =
    /^(?:<\d+>)?(?:\[ *(\d+\.\d+)\])?(?:\[ *[TC]\d+\])? ?(.*)$/s.exec(line.trimEnd()) ?? [];
  return { ...(seconds === undefined ? {} : { seconds: Number(seconds) }), text: printable(text) };
}
