import { printable } from '../../core/printable';

/** What is wrong with a module, told before a device sees it. */
export interface Diagnostic {
  /** An error ends the build. */
  severity: 'error' | 'warning' | 'note';
  kind: DiagnosticKind;
  /** The object that it is about, as make named it. */
  file: string;
  /** One sentence or two: what, and what to do. May hold names from the object or a device. */
  text: string;
}

export type DiagnosticKind =
  | 'undefined-symbol'
  | 'no-symvers'
  | 'unknown-crc'
  | 'gpl-only'
  | 'namespace'
  | 'licence'
  | 'description'
  | 'common-symbol'
  | 'section-mismatch'
  | 'exception-table'
  | 'duplicate-export'
  | 'bad-export'
  | 'trimmed-export'
  | 'long-name'
  | 'device-table';

/** `file: error: text`, as compilers write theirs. */
export function formatDiagnostic({ file, severity, text }: Diagnostic): string {
  return `${printable(file)}: ${severity}: ${printable(text)}`;
}
