import { readFileSync } from 'node:fs';
import { isErrno } from '../../core/errors';

/**
 * The names in a copy of /proc/kallsyms or a System.map, each with the module
 * that has it (`vmlinux` for the kernel itself). Empty without such a file:
 * it only makes messages better.
 */
export function readKernelSymbols(path: string): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const line of textOf(path).split('\n')) {
    const [, name, module = 'vmlinux'] = /^[0-9a-f]+ [a-zA-Z] (\S+)(?:\s+\[(\S+)\])?$/.exec(line) ?? [];
    if (name !== undefined) owners.set(name, module);
  }
  return owners;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}
