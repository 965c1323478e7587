import { isUtf8 } from 'node:buffer';
import { findHeader } from '../../archive/index/find-header';
import type { HeadersIndex } from '../../archive/index/index-file';
import { KhError } from '../../core/errors';

/** A file of an archive with its content. */
export interface ShownHeader {
  /** In the archive. */
  path: string;
  /** The file that `path` leads to, where that is a link. */
  file: string;
  /** Others of that name, which the word that was given did not mean. */
  others: string[];
  content: Buffer;
}

/** The same for JSON. */
export interface HeaderDocument extends Omit<ShownHeader, 'content'> {
  size: number;
  /** What `content` is in: base64 for what is no UTF-8. */
  encoding: 'utf8' | 'base64';
  content: string;
}

/** As many candidates as an error lists. */
const SHOWN = 20;

/**
 * The files that words name: a path, what stands in `#include <…>`, or the end
 * of a path that only one has.
 *
 * @throws KhError HEADER_NOT_FOUND, HEADER_AMBIGUOUS, STORE_IO
 */
export function showHeaders(index: HeadersIndex, words: readonly string[]): ShownHeader[] {
  return words.map((word) => showHeader(index, word));
}

function showHeader(index: HeadersIndex, word: string): ShownHeader {
  const header = findHeader(index, word);
  switch (header.found) {
    case 'one': {
      const { path, file, others } = header;
      return { path, file: file.path, others, content: index.read(file.offset, file.offset + file.size) };
    }
    case 'several':
      throw ambiguous(word, header.candidates);
    case 'folder':
      throw new KhError('HEADER_NOT_FOUND', {
        message: `${header.path} is a folder of the archive`,
        hint: `\`kh headers list ${header.path}/\` lists what is in it.`,
      });
    case 'none':
      throw new KhError('HEADER_NOT_FOUND', {
        message: `the headers of ${index.release || 'this archive'} have no ${word.slice(0, 200)}`,
        hint: 'kheaders.tar.xz holds include/ and arch/*/include of one architecture, nothing else of the kernel. `kh headers list GLOB` finds names.',
      });
  }
}

function ambiguous(word: string, candidates: string[]): KhError {
  const more = candidates.length > SHOWN ? `, and ${candidates.length - SHOWN} more` : '';
  return new KhError('HEADER_AMBIGUOUS', {
    message: `${candidates.length} headers are called ${word.slice(0, 200)}: ${candidates.slice(0, SHOWN).join(', ')}${more}`,
    hint: 'Give more of the path, as in linux/types.h.',
    details: { candidates },
  });
}

/** A header for JSON. */
export function headerDocument({ content, ...header }: ShownHeader): HeaderDocument {
  const encoding = isUtf8(content) ? 'utf8' : 'base64';
  return { ...header, size: content.length, encoding, content: content.toString(encoding) };
}
