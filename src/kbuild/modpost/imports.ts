import { STB } from '../elf/constants';
import type { ElfSymbol } from '../elf/elf-file';
import type { SymversEntry } from '../symvers/symvers-file';
import type { Diagnostic } from './diagnostic';
import { isGplCompatible } from './licence';
import type { ModuleObject } from './module-object';
import { nearNames } from './near-names';
import { describePlace, SymbolFinder } from './symbol-finder';
import type { SymbolTable } from './symbol-table';

/** A symbol that a module uses and another provides. */
export interface Import {
  symbol: ElfSymbol;
  entry: SymversEntry;
}

/** What a module imports, in the order of its symbol table. Missing ones are left out. */
export function resolveImports({ imports }: ModuleObject, table: SymbolTable): Import[] {
  return imports.flatMap((symbol) => {
    const entry = table.get(symbol.name);
    return entry === undefined ? [] : [{ symbol, entry }];
  });
}

export interface UndefinedOptions {
  severity: 'error' | 'warning';
  /** Every symbol of the running kernel, with the module that has it; asked only when something is missing. */
  kernelSymbols: () => ReadonlyMap<string, string>;
}

/** Symbols that nothing known exports. A weak one may stay missing. */
export function checkUndefined(
  module: ModuleObject,
  table: SymbolTable,
  { severity, kernelSymbols }: UndefinedOptions,
): Diagnostic[] {
  const missing = module.imports.filter(({ name, bind }) => bind !== STB.WEAK && !table.has(name));
  if (missing.length === 0) return [];
  const finder = new SymbolFinder(module.elf);
  return missing.map((symbol) => {
    const user = finder.user(symbol);
    const used = user === undefined ? '' : `, which ${describePlace(user)} uses`;
    const text = `undefined symbol "${symbol.name}"${used}: ${whyMissing(symbol.name, table, kernelSymbols())}`;
    return { severity, kind: 'undefined-symbol', file: module.path, text };
  });
}

function whyMissing(name: string, table: SymbolTable, kernelSymbols: ReadonlyMap<string, string>): string {
  const owner = kernelSymbols.get(name);
  if (owner !== undefined) {
    return `${owner === 'vmlinux' ? 'the kernel' : `module ${owner}`} has it, but does not export it to modules`;
  }
  const near = nearNames(name, table.keys());
  const guess = near.length === 0 ? '' : `. Did you mean ${near.map((other) => `"${other}"`).join(' or ')}?`;
  return `neither the kernel nor a module of KBUILD_EXTRA_SYMBOLS exports it${guess}`;
}

export function checkGplOnly(module: ModuleObject, imports: Import[]): Diagnostic[] {
  if (isGplCompatible(module)) return [];
  const licence = module.modinfo.get('license')?.join('", "') ?? '';
  return imports
    .filter(({ entry }) => entry.gpl)
    .map(({ entry }) => ({
      severity: 'error',
      kind: 'gpl-only',
      file: module.path,
      text: `"${entry.name}" is only for modules with a GPL-compatible licence, and this one's is "${licence}"`,
    }));
}

/**
 * Symbols in a namespace that the module does not import. Since 6.16,
 * and in stable kernels that took it over, a namespace `module:a,b*` names
 * the only modules that may use the symbol.
 *
 * @param quoted true where MODULE_IMPORT_NS takes a string (6.13 and later)
 */
export function checkNamespaces(
  module: ModuleObject,
  imports: Import[],
  { allowed, quoted }: { allowed: boolean; quoted: boolean },
): Diagnostic[] {
  const imported = new Set(module.modinfo.get('import_ns'));
  const missing = new Map<string, string[]>();
  for (const { entry } of imports) {
    const { name, namespace } = entry;
    if (namespace === '' || imported.has(namespace) || isNamed(module.name, namespace)) continue;
    missing.set(namespace, [...(missing.get(namespace) ?? []), name]);
  }
  return [...missing].map(([namespace, names]) => {
    const users = RESERVED.exec(namespace)?.[1];
    const what = names.map((name) => `"${name}"`).join(', ');
    const argument = quoted ? `"${namespace}"` : namespace;
    return {
      severity: allowed && users === undefined ? 'warning' : 'error',
      kind: 'namespace',
      file: module.path,
      text:
        users === undefined
          ? `the module uses ${what} from namespace ${namespace} without importing it: add MODULE_IMPORT_NS(${argument});`
          : `the module uses ${what}, which only the module(s) ${users} may`,
    };
  });
}

const RESERVED = /^module:(.*)$/s;

/** True when a reserved namespace names this module, exactly or by `prefix*`. */
function isNamed(module: string, namespace: string): boolean {
  const patterns = RESERVED.exec(namespace)?.[1]?.split(',') ?? [];
  const plain = (text: string) => text.replaceAll('-', '_');
  return patterns.some((pattern) =>
    pattern.endsWith('*')
      ? plain(module).startsWith(plain(pattern.slice(0, -1)))
      : plain(module) === plain(pattern),
  );
}

/** In bytes with the terminating zero: MODULE_NAME_LEN of 64-bit kernels. */
const LONGEST_NAME = 56;

/** Names that the classic table of CRCs has no room for. */
export function checkLongNames({ path }: ModuleObject, imports: Import[]): Diagnostic[] {
  return imports
    .filter(({ entry }) => !fitsClassicTable(entry.name))
    .map(({ entry }) => ({
      severity: 'error',
      kind: 'long-name',
      file: path,
      text: `"${entry.name}" has ${entry.name.length} characters, where this kernel takes at most ${LONGEST_NAME - 1}: its exporter has to shorten it`,
    }));
}

export function fitsClassicTable(name: string): boolean {
  return name.length < LONGEST_NAME;
}

/** One line for all CRCs that are not known: the kernel decides whether that matters. */
export function checkUnknownCrcs({ path }: ModuleObject, imports: Import[]): Diagnostic[] {
  const names = imports.filter(({ entry }) => entry.crc === undefined).map(({ entry }) => entry.name);
  if (names.length === 0) return [];
  const listed = names.length > 5 ? [...names.slice(0, 5), '…'] : names;
  return [
    {
      severity: 'warning',
      kind: 'unknown-crc',
      file: path,
      text: `the CRC of ${names.length} used symbol(s) is not known (${listed.join(', ')}): Android's kernels take the module all the same, Debian's do not`,
    },
  ];
}
