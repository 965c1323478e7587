import { SHN, STB, STT } from '../elf/constants';
import { badObject } from '../elf/byte-reader';
import type { ElfFile, ElfSection, ElfSymbol } from '../elf/elf-file';

/** A use of EXPORT_SYMBOL and its relatives. */
export interface ModuleExport {
  name: string;
  gpl: boolean;
  /** Empty for most. */
  namespace: string;
  /** The symbol of that name in the object; undefined when only declared. */
  symbol: ElfSymbol | undefined;
}

export interface Exports {
  /**
   * Where the object says what it exports: in `__ksymtab` itself, or (since
   * Linux 6.5) in `.export_symbol`, from which modpost makes the table.
   */
  style: 'ksymtab' | 'export-symbol';
  list: ModuleExport[];
  /** EXPORT_SYMBOLs that came to nothing, as the kernel trims its exports. */
  trimmed: string[];
}

/**
 * The symbols that an object exports.
 *
 * @throws KhError BUILD_BAD_OBJECT
 * @see include/linux/export.h and include/linux/export-internal.h
 */
export function readExports(elf: ElfFile): Exports {
  const table = elf.section('.export_symbol');
  const list = table === undefined ? fromKsymtab(elf) : fromExportSection(elf, table);
  const exported = new Set(list.map(({ name }) => name));
  const marked = labels(elf, '__ksym_marker_').map(({ name }) => name);
  return {
    style: table === undefined ? 'ksymtab' : 'export-symbol',
    list,
    trimmed: [...new Set(marked)].filter((name) => !exported.has(name)),
  };
}

/** True for a function: 6.5 and later make another table entry of it than of a variable. */
export function isFunction({ symbol }: ModuleExport): boolean {
  return symbol?.type === STT.FUNC;
}

function fromKsymtab(elf: ElfFile): ModuleExport[] {
  const namespaces = new Map(labels(elf, '__kstrtabns_').map(({ name, label }) => [name, label]));
  return labels(elf, '__ksymtab_').flatMap(({ name, label }) => {
    const [, gpl] = /^_{2,3}ksymtab(_gpl)?(?:$|\+)/.exec(label.section?.name ?? '') ?? ['', null];
    if (gpl === null) return [];
    const inNamespace = namespaces.get(name);
    const namespace = inNamespace === undefined ? '' : stringAt(elf, inNamespace.section, inNamespace.value);
    return [{ name, gpl: gpl === '_gpl', namespace, symbol: definition(elf, name) }];
  });
}

/** Each entry: the licence and the namespace as strings, then the symbol's address. */
function fromExportSection(elf: ElfFile, table: ElfSection): ModuleExport[] {
  return labels(elf, '__export_symbol_')
    .filter(({ label }) => label.section === table)
    .map(({ name, label }) => {
      const licence = stringAt(elf, table, label.value);
      const namespace = stringAt(elf, table, label.value + licence.length + 1);
      return { name, gpl: licence === 'GPL', namespace, symbol: definition(elf, name) };
    });
}

/** Symbols whose names start with `prefix`, with what follows it. */
function labels(elf: ElfFile, prefix: string): { name: string; label: ElfSymbol }[] {
  return elf.symbols
    .filter(({ name, section }) => section !== undefined && name.startsWith(prefix))
    .map((label) => ({ name: label.name.slice(prefix.length), label }));
}

/** A global symbol before a static one of the same name. */
function definition(elf: ElfFile, name: string): ElfSymbol | undefined {
  const found = elf.symbols.filter((symbol) => symbol.name === name && symbol.shndx !== SHN.UNDEF);
  return found.find(({ bind }) => bind !== STB.LOCAL) ?? found[0];
}

function stringAt(elf: ElfFile, section: ElfSection | undefined, at: number): string {
  const data = section?.data() ?? Buffer.alloc(0);
  const end = data.indexOf(0, at);
  if (end === -1)
    throw badObject(elf.path, `has an export in ${section?.name ?? 'no section'} that is cut off`);
  return data.toString('latin1', at, end);
}
