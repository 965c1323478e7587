import type { ElfSymbol } from '../elf/elf-file';
import { ALIASES_OF, entrySize, type AliasWriter } from './bus-aliases';
import type { Diagnostic } from './diagnostic';
import type { KernelTarget } from './kernel-target';
import type { ModuleObject } from './module-object';

/**
 * The two forms of the symbol that MODULE_DEVICE_TABLE(bus, table) leaves:
 * up to 6.13, and later, where it may name the module too.
 */
const TABLE_NAMES = [
  /^__mod_([a-z0-9_]+?)__.+_device_table$/,
  /^__mod_device_table__(?:kmod_\w+?__)?([a-z0-9_]+?)__.+$/,
];

/**
 * The `MODULE_ALIAS`es that a module's device tables ask for: how the
 * device's module loader finds a module for a device. insmod needs none.
 *
 * @see include/linux/mod_devicetable.h
 */
export function readAliases(
  module: ModuleObject,
  kernel: KernelTarget,
): { aliases: string[]; diagnostics: Diagnostic[] } {
  const aliases = new Set<string>();
  const diagnostics: Diagnostic[] = [];
  for (const symbol of module.elf.symbols) {
    const bus = symbol.section === undefined ? undefined : busOf(symbol.name);
    if (bus === undefined) continue;
    const writer = ALIASES_OF.get(bus);
    const outcome = writer === undefined ? unknownBus(bus) : readTable(symbol, bus, writer, kernel);
    if ('text' in outcome) diagnostics.push({ kind: 'device-table', file: module.path, ...outcome });
    else for (const alias of outcome.aliases) aliases.add(alias);
  }
  return { aliases: [...aliases], diagnostics };
}

type Problem = Pick<Diagnostic, 'severity' | 'text'>;

function busOf(name: string): string | undefined {
  for (const form of TABLE_NAMES) {
    const bus = form.exec(name)?.[1];
    if (bus !== undefined) return bus;
  }
  return undefined;
}

function readTable(
  { section, value, size }: ElfSymbol,
  bus: string,
  writer: AliasWriter,
  kernel: KernelTarget,
): { aliases: string[] } | Problem {
  const each = entrySize(bus, kernel);
  const bytes = section?.data().subarray(value, value + size) ?? Buffer.alloc(0);
  if (bytes.length < each || bytes.length % each !== 0) {
    const text = `the ${bus} device table has ${bytes.length} bytes, which are no entries of ${each} bytes each`;
    return { severity: 'error', text };
  }
  const last = bytes.subarray(-each);
  if (!last.every((byte) => byte === 0)) {
    return { severity: 'error', text: `the ${bus} device table does not end with an empty entry: add { }` };
  }
  const aliases: string[] = [];
  for (let at = 0; at + each < bytes.length; at += each) {
    const entry = bytes.subarray(at, at + each);
    aliases.push(...writer(entry));
  }
  return { aliases };
}

function unknownBus(bus: string): Problem {
  const text = `kh writes no aliases for MODULE_DEVICE_TABLE(${bus}, …): insmod takes the module, but nothing loads it by itself when its device appears`;
  return { severity: 'warning', text };
}
