import { printable } from '../core/printable';
import type { Paint, Palette } from './colour';
import { padTo, textWidth } from './text-width';

export interface Column<Row> {
  title: string;
  /** The text of a cell; undefined shows as a dash. It may hold anything a device says. */
  cell: (row: Row) => string | undefined;
  paint?: (row: Row) => Paint | undefined;
}

const GAP = '  ';

/**
 * A table as lines, each ended by a line feed; nothing at all for no rows.
 * Columns are as wide as their widest cell and nothing is cut, so that a
 * script may read what a person reads.
 */
export function renderTable<Row>(rows: Row[], columns: Column<Row>[], { bold }: Palette): string {
  if (rows.length === 0) return '';
  const cells = rows.map((row) => columns.map(({ cell }) => printable(cell(row) ?? '-')));
  const widths = columns.map(({ title }, index) =>
    Math.max(textWidth(title), ...cells.map((line) => textWidth(line[index] ?? ''))),
  );
  const line = (texts: string[], paint: (text: string, index: number) => string) =>
    texts
      .map((text, index) => {
        const last = index === texts.length - 1;
        return last ? paint(text, index) : padTo(paint(text, index), widths[index] ?? 0);
      })
      .join(GAP) + '\n';
  const head = line(
    columns.map(({ title }) => title),
    (title) => bold(title),
  );
  const body = rows.map((row, number) =>
    line(cells[number] ?? [], (text, index) => columns[index]?.paint?.(row)?.(text) ?? text),
  );
  return head + body.join('');
}

/** Names and values as aligned lines; names without a value are left out. */
export function renderFacts(facts: [name: string, value: string | undefined][], { bold }: Palette): string {
  const known = facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
  const width = Math.max(0, ...known.map(([name]) => textWidth(name)));
  return known.map(([name, value]) => `${padTo(bold(name), width)}${GAP}${printable(value)}\n`).join('');
}
