/** Something that a tool of a build says of a place in a file. */
export interface BuildDiagnostic {
  /** As the tool wrote it: absolute, or from where it ran. Absent where it is about no file. */
  file?: string;
  /** Both count from 1. */
  line?: number;
  column?: number;
  severity: 'error' | 'warning' | 'note';
  text: string;
}

/** What is kept of a build's output. More is in the output itself. */
export const DIAGNOSTIC_LIMITS = { entries: 1_000, lineLength: 4_096 } as const;

/** Takes a build's output piece by piece, and gathers what it says. */
export interface DiagnosticParser {
  add(text: string): void;
  /** What ends without a line end counts, too. */
  end(): void;
}

/**
 * Reads what compilers (clang and gcc), assemblers, linkers (LLD and GNU),
 * make and modpost say. Each note is an entry of its own; source excerpts and
 * the lines that say from where a file was included are none.
 *
 * Of several streams, each has a parser of its own, with one list.
 *
 * @param found where the diagnostics go, `DIAGNOSTIC_LIMITS.entries` at most
 */
export function diagnosticParser(found: BuildDiagnostic[]): DiagnosticParser {
  let rest = '';
  const { entries, lineLength } = DIAGNOSTIC_LIMITS;
  const take = (line: string) => {
    if (found.length >= entries) return;
    const diagnostic = parseDiagnostic(line);
    if (diagnostic !== undefined) found.push(diagnostic);
  };
  return {
    add: (text) => {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(0, lineLength);
      for (const line of lines) take(line.slice(0, lineLength));
    },
    end: () => {
      take(rest);
      rest = '';
    },
  };
}

/**
 * One line of output as a diagnostic; undefined for what is none.
 *
 * @see "Formatting Error Messages" in the GNU Coding Standards
 */
export function parseDiagnostic(output: string): BuildDiagnostic | undefined {
  const line = output.replace(/\u001b\[[0-9;]*[A-Za-z]/g, '').trimEnd();
  return placed(line) ?? fromMake(line) ?? fromModpost(line) ?? fromTool(line);
}

const SEVERITIES: Record<string, BuildDiagnostic['severity']> = {
  error: 'error',
  'fatal error': 'error',
  'internal compiler error': 'error',
  warning: 'warning',
  note: 'note',
  remark: 'note',
};

const SEVERITY = Object.keys(SEVERITIES).join('|');
const SAID = new RegExp(`: (${SEVERITY}): `, 'i');
const SAID_BY_TOOL = new RegExp(`^(?:([^\\s:]+): )?(${SEVERITY}): (.+)$`, 'i');

/** `FILE:LINE:COLUMN: error: TEXT`, or without the column (gas), or without both (modpost). */
function placed(line: string): BuildDiagnostic | undefined {
  const severity = SAID.exec(line);
  if (severity === null) return undefined;
  const place = line.slice(0, severity.index);
  if (place === '') return undefined;
  const [, file = place, row, column] = /^(.+?):(\d{1,9})(?::(\d{1,9}))?$/.exec(place) ?? [];
  // What stands before is a tool, not a file: `clang: error: …`, `ld.lld: error: …`.
  if (row === undefined && (isTool(file) || /\s/.test(file))) return undefined;
  return {
    file,
    ...(row === undefined ? {} : { line: Number(row) }),
    ...(column === undefined ? {} : { column: Number(column) }),
    severity: severityOf(severity[1]),
    text: line.slice(severity.index + severity[0].length),
  };
}

/** `FILE:3: *** missing separator.  Stop.`, `make[2]: *** [FILE:9: x.o] Error 1`, and what $(warning) says. */
function fromMake(line: string): BuildDiagnostic | undefined {
  const [, file, row, stars, text] = /^(\S[^:]*):(\d{1,9}): (\*{3} )?(.+)$/.exec(line) ?? [];
  if (file !== undefined && text !== undefined && (stars !== undefined || isMakefile(file))) {
    return { file, line: Number(row), severity: stars === undefined ? 'warning' : 'error', text };
  }
  const [, said] = /^g?make(?:\[\d+\])?: \*\*\* (.+)$/.exec(line) ?? [];
  if (said === undefined) return undefined;
  const [, ruleFile, ruleRow, target, error] = /^\[(.+?):(\d{1,9}): (.+)\] (.+)$/.exec(said) ?? [];
  if (ruleFile === undefined) return { severity: 'error', text: said };
  return {
    file: ruleFile,
    line: Number(ruleRow),
    severity: 'error',
    text: `${target ?? ''}: ${error ?? ''}`,
  };
}

/** `ERROR: modpost: "x" [y.ko] undefined!`, as the kernel's own says it. */
function fromModpost(line: string): BuildDiagnostic | undefined {
  const [, severity, text] = /^(ERROR|WARNING): modpost: (.+)$/.exec(line) ?? [];
  return text === undefined ? undefined : { severity: severityOf(severity), text };
}

/** `clang: error: TEXT`, `ld.lld: warning: TEXT`, `error: TEXT`; of GNU ld also without a severity. */
function fromTool(line: string): BuildDiagnostic | undefined {
  const [, tool, severity, text] = SAID_BY_TOOL.exec(line) ?? [];
  if (text !== undefined && (tool === undefined || isTool(tool))) {
    return { severity: severityOf(severity), text };
  }
  const [, linker, complaint] = /^([^\s:]+): (.+)$/.exec(line) ?? [];
  if (linker === undefined || complaint === undefined || !/(?:^|[/-])ld(?:\.bfd|\.gold)?$/.test(linker)) {
    return undefined;
  }
  return { severity: 'error', text: complaint };
}

function isMakefile(file: string): boolean {
  return /(?:^|\/)(?:Kbuild|(?:GNUm|[Mm])akefile)[^/]*$|\.mk$/.test(file);
}

/** The programs that a build runs, by any path, prefix and version. */
function isTool(name: string): boolean {
  return /^(?:.*[/-])?(?:clang|gcc|cc|cc1|as|ld|ld\.lld|ld\.bfd|ld\.gold|lld|g?make|modpost|collect2|llvm-\w+)(?:-\d+)?(?:\[\d+\])?$/.test(
    name,
  );
}

function severityOf(word = ''): BuildDiagnostic['severity'] {
  return SEVERITIES[word.toLowerCase()] ?? 'error';
}
