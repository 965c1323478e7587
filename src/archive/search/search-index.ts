import { isAscii } from 'node:buffer';
import type { HeadersIndex, IndexedFile } from '../index/index-file';
import { globFilter } from './globs';
import { linePattern, type PatternOptions } from './line-pattern';
import { searchText, type FoundLine, type SearchLimits } from './search-text';

export interface SearchQuery extends PatternOptions, SearchLimits {
  pattern: string;
  /** Which files; none for all. */
  globs: string[];
}

/** A file with lines that match. */
export interface FoundFile {
  path: string;
  lines: FoundLine[];
}

export interface SearchResult {
  /** In the order of their paths. */
  files: FoundFile[];
  /** How many files were looked into. */
  searched: number;
}

/** As much as is looked into at a time, in bytes. */
const RUN = 2 ** 20;

/**
 * Searches the files of an archive line by line. Links are not followed: what
 * they lead to is searched where it is.
 *
 * @throws KhError USAGE for a pattern or a glob that is none, STORE_IO
 */
export function searchIndex(index: HeadersIndex, query: SearchQuery): SearchResult {
  const pattern = linePattern(query.pattern, query);
  const isMeant = globFilter(query.globs);
  const files = index.members.filter((member) => member.kind === 'file').filter(({ path }) => isMeant(path));
  const needle = literalOf(query);
  const found: FoundFile[] = [];
  for (const run of runsOf(files)) {
    const last = run.at(-1) ?? run[0];
    const bytes = index.read(run[0].offset, last.offset + last.size);
    if (needle !== undefined && !bytes.includes(needle)) continue;
    for (const piece of piecesOf(run, bytes)) found.push(...searchPiece(piece, pattern, query));
  }
  return { files: found.sort(byPath), searched: files.length };
}

/** The text that every match is, where the pattern is just that: bytes are searched for it faster than text is made of them. */
function literalOf({ pattern, fixed = false, ignoreCase = false }: SearchQuery): string | undefined {
  const isText = fixed || !/[\\^$.*+?()[\]{}|]/.test(pattern);
  return isText && !ignoreCase && pattern !== '' ? pattern : undefined;
}

/** Text with files in it. */
interface Piece {
  text: string;
  files: { path: string; start: number; end: number }[];
}

/** ASCII, which nearly all is, is searched in one go: there a character is a byte. Else each file by itself. */
function piecesOf(run: [IndexedFile, ...IndexedFile[]], bytes: Buffer): Piece[] {
  const base = run[0].offset;
  const files = run.map(({ path, offset, size }) => ({
    path,
    start: offset - base,
    end: offset - base + size,
  }));
  if (isAscii(bytes)) return [{ text: bytes.toString('latin1'), files }];
  return files.map(({ path, start, end }) => {
    const text = bytes.toString('utf8', start, end);
    return { text, files: [{ path, start: 0, end: text.length }] };
  });
}

/** Looks into those files only that have a match. */
function searchPiece({ text, files }: Piece, pattern: RegExp, query: SearchQuery): FoundFile[] {
  const found: FoundFile[] = [];
  let from = 0;
  for (const { path, start, end } of files) {
    if (end < from) continue;
    const lines = searchText(text, { start, end }, pattern, query);
    if (lines.length > 0) found.push({ path, lines });
    pattern.lastIndex = end;
    const next = pattern.exec(text);
    if (next === null) break;
    from = next.index;
  }
  return found;
}

/** Files that lie one behind the other, as many at a time as are read in one go. */
function runsOf(files: IndexedFile[]): [IndexedFile, ...IndexedFile[]][] {
  const runs: [IndexedFile, ...IndexedFile[]][] = [];
  let end = -1;
  for (const file of files) {
    const run = runs.at(-1);
    const next = file.offset === end + 1 && run !== undefined && end - run[0].offset < RUN;
    if (next) run.push(file);
    else runs.push([file]);
    end = file.offset + file.size;
  }
  return runs;
}

function byPath({ path: one }: FoundFile, { path: other }: FoundFile): number {
  return one < other ? -1 : 1;
}
