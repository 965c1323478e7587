import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version of kh, as its package names it. */
export function khVersion(): string {
  const file = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}
