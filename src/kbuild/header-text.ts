import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../core/errors';

/** The text of a file of a headers tree; empty when it has none of that name. */
export function headerText(headersPath: string, path: string): string {
  try {
    return readFileSync(join(headersPath, path), 'latin1');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return '';
    throw error;
  }
}
