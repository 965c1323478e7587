/** The kernel that an entry is looked up for. */
export interface KernelKey {
  /** `uname -r` */
  release: string;
  /** `uname -v` */
  version?: string | undefined;
}

/** What a manifest says of an archive; at least one digest, in lower-case hex. */
export interface ExpectedDigests {
  md5?: string;
  sha256?: string;
  /** Which entry said so, for messages. */
  entry: string;
}

/** One line of an md5sum(1) or sha256sum(1) list. */
export interface ChecksumEntry {
  digest: string;
  kind: 'md5' | 'sha256';
  /** The file name as listed, unescaped. */
  name: string;
}

/** One archive that the lab trusts. */
export interface LabEntry {
  release: string;
  /** `uname -v`, where several builds share one release. */
  version?: string;
  md5: string;
  sha256: string;
  bytes: number;
  /** ISO time. */
  added: string;
  note?: string;
}

/** The lab's own list, version 1. */
export interface LabManifest {
  form: 'lab';
  path: string;
  kernels: LabEntry[];
}

export type Manifest =
  | { form: 'kheaders.md5'; path: string; md5: string }
  | { form: 'checksum-list'; path: string; entries: ChecksumEntry[] }
  | LabManifest;
