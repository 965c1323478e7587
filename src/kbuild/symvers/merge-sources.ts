import type { ModuleSymbols } from './module-exports';
import type { SymversEntry } from './symvers-file';

/** Something that tells of exported symbols: a file, the kernel image, a module on the device. */
export interface SymversSource {
  /** For messages, and for where a line came from. */
  name: string;
  entries: SymversEntry[];
  /** CRCs that it was built against. They add nothing, but have to agree too. */
  uses?: ReadonlyMap<string, number>;
}

export interface MergedSymvers {
  entries: SymversEntry[];
  /** By symbol, the name of the source that its entry is from. */
  origins: Map<string, string>;
  dropped: DroppedSource[];
}

/** A source that was left out, as it is of another build of the kernel. */
export interface DroppedSource {
  source: string;
  /** The better source that it disagrees with. */
  against: string;
  /** The symbol that shows it. */
  symbol: string;
  why: string;
}

/**
 * Makes one list of what several sources tell, the best source first: of a
 * symbol, the first entry counts. A source that gives a symbol another CRC
 * than a better source is of another build, and all of it is left out.
 */
export function mergeSources(sources: readonly SymversSource[]): MergedSymvers {
  const merged = new Map<string, SymversEntry>();
  const origins = new Map<string, string>();
  const dropped: DroppedSource[] = [];
  for (const source of sources) {
    const conflict = findConflict(source, merged, origins);
    if (conflict !== undefined) {
      dropped.push(conflict);
      continue;
    }
    for (const entry of source.entries) {
      if (merged.has(entry.name)) continue;
      merged.set(entry.name, entry);
      origins.set(entry.name, source.name);
    }
  }
  return { entries: [...merged.values()], origins, dropped };
}

/**
 * What modules on the device tell, in the order of trust: the exports of all,
 * then what each imports. Of an import only name and CRC are known: it is
 * taken for one of vmlinux that any module may use.
 */
export function moduleSources(modules: readonly ModuleSymbols[]): SymversSource[] {
  const exporters = modules.filter(({ exports }) => exports.length > 0);
  const importers = modules.filter(({ imports }) => imports.size > 0);
  return [
    ...exporters.map(({ name, exports, imports }) => ({
      name: `exports of ${name}.ko`,
      entries: exports,
      uses: imports,
    })),
    ...importers.map(({ name, imports }) => ({
      name: `imports of ${name}.ko`,
      entries: [...imports].map(([symbol, crc]) => importedEntry(symbol, crc)),
    })),
  ];
}

function importedEntry(name: string, crc: number): SymversEntry {
  return { name, crc, module: 'vmlinux', gpl: false, namespace: '' };
}

function findConflict(
  source: SymversSource,
  merged: ReadonlyMap<string, SymversEntry>,
  origins: ReadonlyMap<string, string>,
): DroppedSource | undefined {
  const claims = [
    ...(source.uses ?? []),
    ...source.entries.map(({ name, crc }): [string, number | undefined] => [name, crc]),
  ];
  const known = claims.filter(([name, crc]) => crc !== undefined && merged.get(name)?.crc !== undefined);
  const wrong = known.filter(([name, crc]) => merged.get(name)?.crc !== crc);
  // The symbol that tells most: its CRC changes with the kernel's configuration.
  const [symbol, crc] = wrong.find(([name]) => name === 'module_layout') ?? wrong[0] ?? [];
  if (symbol === undefined) return undefined;
  const against = origins.get(symbol) ?? '';
  const why =
    `${wrong.length} of ${known.length} CRCs differ from those known: ` +
    `${symbol} is ${hex(crc)}, and ${hex(merged.get(symbol)?.crc)} in ${against}`;
  return { source: source.name, against, symbol, why };
}

function hex(crc = 0): string {
  return `0x${crc.toString(16).padStart(8, '0')}`;
}
