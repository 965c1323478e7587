import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildElf } from '../unit/kbuild/elf/build-elf';
import { tempFolder } from './temp-folder';

/** The bytes of a .ko that says these things of itself, and does nothing. */
export function madeModule(info: Record<string, string>): Buffer {
  const entries = Object.entries({ license: 'GPL', ...info }).map(([key, value]) => `${key}=${value}\0`);
  return buildElf({ sections: [{ name: '.modinfo', flags: 2, data: Buffer.from(entries.join('')) }] });
}

/** Such a module in a file of its own. @returns its path */
export async function moduleFile(file: string, info: Record<string, string>): Promise<string> {
  const path = join(await tempFolder(), file);
  await writeFile(path, madeModule(info));
  return path;
}
