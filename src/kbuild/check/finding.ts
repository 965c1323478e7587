/** Something about a finished module that the kernel's loader, or the kernel after it, would stumble over. */
export interface Finding {
  /** An error: refused, or a crash. A warning: taken, but not by every kernel or not in every case. */
  severity: 'error' | 'warning';
  kind: FindingKind;
  /** What is so. May hold names from the module. */
  text: string;
  /** What to do about it. */
  hint: string;
}

export type FindingKind =
  | 'machine'
  | 'vermagic'
  | 'section'
  | 'this-module'
  | 'symbol-table'
  | 'relocation'
  | 'symbol'
  | 'crc'
  | 'common-symbol'
  | 'cfi'
  | 'branch-target'
  | 'jump-label'
  | 'patch-site';
