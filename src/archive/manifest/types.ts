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
  /** ISO time from which on the entry vouches for nothing. */
  expires?: string;
}

/** Of an archive, in lower-case hex. */
export interface Digests {
  md5: string;
  sha256: string;
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
  /** `uname -r` */
  release: string;
  /** `uname -v`, where several builds share one release. */
  version?: string;
  md5: string;
  sha256: string;
  bytes: number;
  /** ISO time. */
  added: string;
  /** ISO date or time from which on the entry vouches for nothing. */
  expires?: string;
  note?: string;
}

/** Bytes that are refused, whatever kernel they claim to be for. */
export interface RevokedArchive {
  sha256: string;
  md5?: string;
  /** The kernel that it was trusted for. */
  release?: string;
  version?: string;
  /** ISO date or time. */
  at: string;
  reason: string;
}

/** The lab's manifest as it is on disk, version 1. */
export interface LabManifestFile {
  /** For editors. */
  $schema?: string;
  kheaders: 1;
  kernels: LabEntry[];
  revoked?: RevokedArchive[];
}

/** The lab's own list as it was read: digests in lower case. */
export interface LabManifest extends Omit<LabManifestFile, 'kheaders' | 'revoked'> {
  form: 'lab';
  path: string;
  revoked: RevokedArchive[];
}

export type Manifest =
  | { form: 'kheaders.md5'; path: string; md5: string }
  | { form: 'checksum-list'; path: string; entries: ChecksumEntry[] }
  | LabManifest;
