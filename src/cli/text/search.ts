import type { FoundFile, FoundLine, SearchResult } from '../../app/headers/search-headers';
import { printable } from '../../core/printable';
import type { Palette } from '../../ui/colour';

export interface SearchForm {
  /** Only names, or names with counts, in place of lines. */
  show: 'lines' | 'names' | 'counts';
  numbers: boolean;
  /** Lines below the name of their file, as for a person, in place of the name in front of each. */
  headings: boolean;
  /** Whether lines beside those that match were asked for: `--` then stands where some are left out. */
  context: boolean;
}

/** What `kh headers search` prints: as rg does on a terminal, and as it does elsewhere. */
export function searchText({ files }: SearchResult, form: SearchForm, colours: Palette): string {
  if (form.show === 'names') return files.map(({ path }) => `${colours.bold(printable(path))}\n`).join('');
  if (form.show === 'counts') {
    return files.map((file) => `${colours.bold(printable(file.path))}:${countOf(file)}\n`).join('');
  }
  const gap = form.headings ? '\n' : form.context ? '--\n' : '';
  return files.map((file) => fileText(file, form, colours)).join(gap);
}

/** How many lines match. */
function countOf({ lines }: FoundFile): number {
  return lines.filter(({ matches }) => matches.length > 0).length;
}

function fileText({ path, lines }: FoundFile, form: SearchForm, colours: Palette): string {
  const name = colours.bold(printable(path));
  const text = lines.map((line, index) => {
    const mark = line.matches.length > 0 ? ':' : '-';
    const number = form.numbers ? `${colours.green(String(line.number))}${mark}` : '';
    const front = form.headings ? number : `${name}${mark}${number}`;
    const before = lines[index - 1];
    const leftOut = form.context && before !== undefined && before.number + 1 < line.number;
    return `${leftOut ? '--\n' : ''}${front}${lineText(line, colours)}\n`;
  });
  return (form.headings ? `${name}\n` : '') + text.join('');
}

function lineText({ text, matches }: FoundLine, { red, bold }: Palette): string {
  const safe = (part: string) => printable(part, { multiline: true });
  let at = 0;
  const parts = matches.map(({ start, end }) => {
    const before = safe(text.slice(at, start));
    at = end;
    return before + (start === end ? '' : bold(red(safe(text.slice(start, end)))));
  });
  return parts.join('') + safe(text.slice(at));
}
