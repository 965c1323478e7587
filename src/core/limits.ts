/** What an archive may hold. Real ones have about 7,000 entries and unpack to 30 MB. */
export interface ArchiveLimits {
  /** Bytes of the .tar.xz as transferred. */
  archiveBytes: number;
  /** Bytes of the tar stream after decompression. */
  unpackedBytes: number;
  entries: number;
  /** Bytes of one member's whole name. */
  nameBytes: number;
  /** Path components below the root. */
  depth: number;
  /** Memory the xz decoder may use, in bytes: `xz -9` needs 65 MiB. */
  decoderMemoryBytes: number;
}

export const ARCHIVE_LIMITS: Readonly<ArchiveLimits> = {
  archiveBytes: 256 * 2 ** 20,
  unpackedBytes: 2 ** 30,
  entries: 100_000,
  nameBytes: 1024,
  depth: 32,
  decoderMemoryBytes: 128 * 2 ** 20,
};

/** How long kh waits for a device before it calls it hung; all in milliseconds. */
export interface TimeLimits {
  /** For the adb server's first reply: a dead gateway accepts TCP and stays silent. */
  connect: number;
  /** Without a single byte, on any call. */
  stall: number;
  /** For one device, all in all (`--timeout`). */
  device: number;
  /** For a device to settle that is offline, connecting or authorizing. */
  settle: number;
  /** For adbd to be back after it restarted as root: over TCP, adb takes up to ten seconds to connect anew. */
  restart: number;
  /** For undoing what was done on the device, after an interruption. */
  cleanup: number;
}

export const TIME_LIMITS: Readonly<TimeLimits> = {
  connect: 5_000,
  stall: 30_000,
  device: 600_000,
  settle: 10_000,
  restart: 30_000,
  cleanup: 5_000,
};
