import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../core/errors';

/** Headers that the kernel's build makes by compiling: sizes of structures, offsets in them, bounds of enumerations. */
const MEASURED = ['asm-offsets.h', 'bounds.h', 'rq-offsets.h'];

/** A number that the device's build measured, and this one otherwise. */
export interface LayoutDifference {
  name: string;
  device: string;
  source: string;
}

/**
 * Compares what a prepared source measured with what the device's headers
 * say: where a structure comes out otherwise here, modules would work on wrong
 * parts of it.
 *
 * @param made the folder with the `include/generated` that the preparation wrote
 */
export async function layoutDifferences(headersPath: string, made: string): Promise<LayoutDifference[]> {
  const differences: LayoutDifference[] = [];
  for (const file of MEASURED) {
    const device = await numbers(join(headersPath, 'include/generated', file));
    const source = await numbers(join(made, 'include/generated', file));
    for (const [name, value] of device) {
      const other = source.get(name);
      if (other !== undefined && other !== value) differences.push({ name, device: value, source: other });
    }
  }
  return differences;
}

async function numbers(path: string): Promise<Map<string, string>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  });
  return new Map(
    Array.from(text.matchAll(/^#define (\w+) (-?\d+)\b/gm), ([, name = '', value = '']) => [name, value]),
  );
}
