import { structuredPatch } from 'diff';

/** How the lines of a file differ. */
export interface LineDiff {
  insertions: number;
  deletions: number;
  /** A unified diff, which patch(1) takes. */
  patch: string;
}

/** A path and its text in an archive; no text where the archive has no such file. */
interface Version {
  path: string;
  text: string | undefined;
}

/** Lines that may have changed before two files count as two: the search for the shortest diff takes time by its square. */
const MOST_EDITS = 1_000;

/** What makes the one version of a file of the other, line by line. */
export function lineDiff(before: Version, after: Version): LineDiff {
  const [was, is] = [before.text ?? '', after.text ?? ''];
  const hunks = hunksOf(was, is);
  const lines = hunks.flatMap((hunk) => hunk.lines);
  const count = (mark: string) => lines.filter((line) => line.startsWith(mark)).length;
  const nameOf = (side: string, { path, text }: Version) =>
    text === undefined ? '/dev/null' : `${side}/${path}`;
  const head = `--- ${nameOf('a', before)}\n+++ ${nameOf('b', after)}\n`;
  const body = hunks.map((hunk) => `${placeOf(hunk)}\n${hunk.lines.join('\n')}\n`).join('');
  return { insertions: count('+'), deletions: count('-'), patch: head + body };
}

interface Hunk {
  oldStart: number;
  oldLines: number;
  newStart: number;
  newLines: number;
  lines: string[];
}

function hunksOf(was: string, is: string): Hunk[] {
  if (was === is) return [];
  const both = was !== '' && is !== '';
  const options = { context: 3, maxEditLength: MOST_EDITS };
  const found = both ? structuredPatch('', '', was, is, '', '', options) : undefined;
  return found?.hunks ?? [allLines(was, is)];
}

/** Takes every line out and puts every line in. */
function allLines(was: string, is: string): Hunk {
  const [oldLines, newLines] = [was, is].map(
    (text) => text.split('\n').length - (/(^|\n)$/.test(text) ? 1 : 0),
  );
  const lines = [...marked('-', was), ...marked('+', is)];
  return { oldStart: 1, oldLines: oldLines ?? 0, newStart: 1, newLines: newLines ?? 0, lines };
}

function marked(mark: string, text: string): string[] {
  if (text === '') return [];
  const lines = text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => mark + line);
  return text.endsWith('\n') ? lines : [...lines, '\\ No newline at end of file'];
}

/** In a file without lines, a hunk is behind line 0. */
function placeOf({ oldStart, oldLines, newStart, newLines }: Hunk): string {
  const place = (start: number, lines: number) => `${lines === 0 ? start - 1 : start},${lines}`;
  return `@@ -${place(oldStart, oldLines)} +${place(newStart, newLines)} @@`;
}
