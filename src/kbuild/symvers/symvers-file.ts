import { KhError } from '../../core/errors';

/** An exported symbol of the kernel or of a module: a line of Module.symvers. */
export interface SymversEntry {
  name: string;
  /** Undefined where there is none: a kernel without MODVERSIONS, or a symbol that genksyms gave up on. */
  crc: number | undefined;
  /** Who exports it: `vmlinux`, or a module's name without folder and suffix. */
  module: string;
  /** Only for modules with a GPL-compatible licence. */
  gpl: boolean;
  /** What a user must import; empty for most. */
  namespace: string;
}

/**
 * Reads a Module.symvers of four columns (before Linux 5.4) or five. A
 * module's path becomes its name. A CRC of zero is none: modpost writes it
 * where it knows no better.
 *
 * @param path for messages
 * @throws KhError BUILD_BAD_SYMVERS with the line's number
 * @see scripts/mod/modpost.c of the kernel, read_dump and write_dump
 */
export function parseSymvers(text: string, path: string): SymversEntry[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const seen = new Map<string, { entry: SymversEntry; line: number }>();
  for (const [index, content] of lines.entries()) {
    const line = index + 1;
    const entry = parseLine(content);
    if (typeof entry === 'string') throw badLine(path, line, entry);
    const earlier = seen.get(entry.name);
    if (earlier === undefined) seen.set(entry.name, { entry, line });
    else if (!sameExport(entry, earlier.entry)) {
      throw badLine(path, line, `${entry.name} is exported on line ${earlier.line} too, and otherwise`);
    }
  }
  return [...seen.values()].map(({ entry }) => entry);
}

/** Writes five columns; the tab before an empty namespace stays, as modpost insists on it. */
export function formatSymvers(entries: Iterable<SymversEntry>): string {
  let text = '';
  for (const { name, crc = 0, module, gpl, namespace } of entries) {
    const licence = gpl ? 'EXPORT_SYMBOL_GPL' : 'EXPORT_SYMBOL';
    text += `0x${crc.toString(16).padStart(8, '0')}\t${name}\t${module}\t${licence}\t${namespace}\n`;
  }
  return text;
}

/** UNUSED and GPL_FUTURE went away with 5.12; a future restriction is none yet. */
const GPL_ONLY = new Map([
  ['EXPORT_SYMBOL', false],
  ['EXPORT_SYMBOL_GPL', true],
  ['EXPORT_UNUSED_SYMBOL', false],
  ['EXPORT_UNUSED_SYMBOL_GPL', true],
  ['EXPORT_SYMBOL_GPL_FUTURE', false],
]);

/** @returns the entry, or what is wrong with the line. */
function parseLine(line: string): SymversEntry | string {
  const columns = line.split('\t');
  const [checksum = '', name = '', modulePath = '', licence = '', namespace = ''] = columns;
  if (columns.length !== 4 && columns.length !== 5) {
    return `it has ${columns.length} columns, where a Module.symvers has 4 or 5 with tabs between them`;
  }
  if (!/^0x[0-9a-fA-F]{1,8}$/.test(checksum)) return `"${shortened(checksum)}" is not a CRC like 0x1234abcd`;
  if (!/^[\w.$]+$/.test(name)) return `"${shortened(name)}" is not a symbol's name`;
  const module = modulePath.slice(modulePath.lastIndexOf('/') + 1);
  if (!/^[^\s/]+$/.test(module)) return `"${shortened(modulePath)}" is not a module`;
  const gpl = GPL_ONLY.get(licence);
  if (gpl === undefined) return `"${shortened(licence)}" is not EXPORT_SYMBOL or EXPORT_SYMBOL_GPL`;
  if (/\s/.test(namespace)) return `"${shortened(namespace)}" is not a namespace`;
  return { name, crc: Number(checksum) || undefined, module, gpl, namespace };
}

function sameExport(one: SymversEntry, other: SymversEntry): boolean {
  return formatSymvers([one]) === formatSymvers([other]);
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function badLine(path: string, line: number, what: string): KhError {
  return new KhError('BUILD_BAD_SYMVERS', {
    message: `${path}, line ${line}: ${what}`,
    hint: 'Name the Module.symvers of the build that made this kernel, as it was left there.',
    details: { path, line },
  });
}
