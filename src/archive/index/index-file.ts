import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { diskError } from '../../core/disk-error';

/** What an archive has at a path. */
export type IndexMember =
  | { kind: 'file'; path: string; mode: number; size: number; offset: number }
  | { kind: 'directory'; path: string; mode: number }
  | { kind: 'symlink'; path: string; mode: number; target: string };

export type IndexedFile = Extract<IndexMember, { kind: 'file' }>;

/** What the table of an index says. */
export interface IndexTable {
  /** The kernel that the archive is of, as its `utsrelease.h` says; empty where it says nothing. */
  release: string;
  /** In the order of the archive, without the root. */
  members: IndexMember[];
}

/** The files of an archive in one file of ours, that any of them is read from at once. */
export interface HeadersIndex extends IndexTable, Disposable {
  readonly path: string;
  /** Bytes `start` to `end` of the files' contents, one behind the other. @throws KhError STORE_IO */
  read: (start: number, end: number) => Buffer;
}

/**
 * The form of an index: the contents of all files one behind the other, each
 * with a line feed behind it so that no line is part of two files; the table
 * as JSON; and this mark with the table's length in eight digits.
 */
const MARK = 'kh-index-1:';
const MARK_BYTES = MARK.length + 8;

/** The end of an index file whose contents have been written. */
export function indexEnd(table: IndexTable): Buffer {
  const json = Buffer.from(JSON.stringify(table));
  return Buffer.concat([json, Buffer.from(`${MARK}${String(json.length).padStart(8, '0')}`)]);
}

/**
 * Opens an index.
 *
 * @returns undefined where the file is damaged
 * @throws KhError STORE_DENIED, STORE_IO
 */
export function openIndex(path: string): HeadersIndex | undefined {
  try {
    const fd = openSync(path, 'r');
    const close = () => closeSync(fd);
    const table = readTable(fd);
    if (table === undefined) {
      close();
      return undefined;
    }
    const read = (start: number, end: number) => readWhole(fd, path, start, end);
    return { ...table, path, read, [Symbol.dispose]: close };
  } catch (error) {
    throw diskError(error, path);
  }
}

function readTable(fd: number): IndexTable | undefined {
  const { size } = fstatSync(fd);
  if (size < MARK_BYTES) return undefined;
  const mark = readBytes(fd, size - MARK_BYTES, size).toString('latin1');
  const digits = mark.slice(MARK.length);
  if (!mark.startsWith(MARK) || !/^\d{8}$/.test(digits)) return undefined;
  const end = size - MARK_BYTES;
  const start = end - Number(digits);
  if (start < 0) return undefined;
  const table = parseTable(readBytes(fd, start, end).toString('utf8'));
  const whole = table?.members.every(
    (member) => member.kind !== 'file' || member.offset + member.size < start,
  );
  return whole === true ? table : undefined;
}

/** kh wrote the table, so its form is known once it parses: a damaged one does not. */
function parseTable(json: string): IndexTable | undefined {
  try {
    return JSON.parse(json) as IndexTable;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function readWhole(fd: number, path: string, start: number, end: number): Buffer {
  try {
    return readBytes(fd, start, end);
  } catch (error) {
    throw diskError(error, path);
  }
}

function readBytes(fd: number, start: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(end - start);
  let at = 0;
  while (at < bytes.length) {
    const count = readSync(fd, bytes, at, bytes.length - at, start + at);
    if (count === 0) throw Object.assign(new Error('the file is shorter than it was'), { code: 'EIO' });
    at += count;
  }
  return bytes;
}
