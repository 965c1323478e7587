import type { SymversEntry } from '../symvers/symvers-file';
import type { Diagnostic } from './diagnostic';
import type { ModuleObject } from './module-object';

/** Who exports what: the kernel, modules built before, and those of this build. */
export type SymbolTable = ReadonlyMap<string, SymversEntry>;

/** What the modules of one build export, as lines of their own Module.symvers. */
export interface OwnExports {
  entries: SymversEntry[];
  diagnostics: Diagnostic[];
}

/**
 * Joins the lists. A module that is built again replaces what a list says of
 * it; any other symbol that two export is an error, as the kernel would
 * refuse the second module.
 *
 * @param crcOf the CRC for an export of `module`; undefined for a kernel without CRCs
 */
export function joinSymbols(
  known: Iterable<SymversEntry>,
  modules: ModuleObject[],
  crcOf: (module: ModuleObject, name: string) => number | undefined,
): { table: SymbolTable; own: OwnExports } {
  const built = new Set(modules.map(({ name }) => name));
  const table = new Map<string, SymversEntry>();
  for (const entry of known) if (!built.has(entry.module)) table.set(entry.name, entry);
  const own: OwnExports = { entries: [], diagnostics: [] };
  for (const module of modules) {
    for (const { name, gpl, namespace } of module.exported.list) {
      const earlier = table.get(name);
      if (earlier !== undefined) {
        own.diagnostics.push(duplicate(module, name, earlier));
        continue;
      }
      const entry = { name, crc: crcOf(module, name), module: module.name, gpl, namespace };
      table.set(name, entry);
      own.entries.push(entry);
    }
  }
  return { table, own };
}

function duplicate({ path, name: module }: ModuleObject, name: string, earlier: SymversEntry): Diagnostic {
  const owner =
    earlier.module === 'vmlinux'
      ? 'the kernel itself exports'
      : earlier.module === module
        ? 'the module exports twice'
        : `module ${earlier.module} exports too`;
  return {
    severity: 'error',
    kind: 'duplicate-export',
    file: path,
    text: `"${name}" is a symbol that ${owner}: the kernel would not load this module; give it another name`,
  };
}
