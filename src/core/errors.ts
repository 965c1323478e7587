import { isNativeError } from 'node:util/types';
import { deviceName } from './device-name';
import { printable } from './printable';

/**
 * Every way in which kh can fail, and the exit code of the process for it.
 * `docs/exit-codes.md` lists the same table; a test compares the two.
 */
export const EXIT_CODES = {
  INTERNAL: 1,
  USAGE: 2,
  HEADER_AMBIGUOUS: 2,
  DEVICE_NONE: 3,
  DEVICE_NOT_FOUND: 3,
  DEVICE_AMBIGUOUS: 3,
  WORKSPACE_AMBIGUOUS: 3,
  DEVICE_UNAUTHORIZED: 4,
  DEVICE_OFFLINE: 4,
  DEVICE_NO_PERMISSIONS: 4,
  DEVICE_WRONG_STATE: 4,
  DEVICE_LOST: 4,
  ADB_UNAVAILABLE: 4,
  ADB_PROTOCOL: 4,
  REMOTE_NOT_FOUND: 4,
  REMOTE_DENIED: 4,
  REMOTE_IO: 4,
  REMOTE_COMMAND_FAILED: 4,
  HEADERS_ABSENT: 5,
  HEADERS_DENIED: 5,
  HEADERS_MODULE_UNLOADABLE: 5,
  WORKSPACE_NOT_FOUND: 5,
  HEADER_NOT_FOUND: 5,
  VERIFY_SIZE: 6,
  VERIFY_MD5: 6,
  VERIFY_MANIFEST: 6,
  VERIFY_UNLISTED: 6,
  VERIFY_EXPIRED: 6,
  VERIFY_REVOKED: 6,
  VERIFY_RELEASE: 6,
  VERIFY_PACK: 6,
  MANIFEST_UNUSABLE: 6,
  MANIFEST_UNTRUSTED: 6,
  ARCHIVE_CORRUPT: 7,
  ARCHIVE_TRUNCATED: 7,
  ARCHIVE_UNSAFE: 7,
  ARCHIVE_LIMIT: 7,
  ARCHIVE_INCOMPLETE: 7,
  BUILD_FAILED: 8,
  BUILD_UNLOADABLE: 8,
  BUILD_BAD_OBJECT: 8,
  BUILD_BAD_SYMVERS: 8,
  BUILD_BAD_IMAGE: 8,
  SYMVERS_UNAVAILABLE: 8,
  BUILD_NO_EXPORTS: 8,
  BUILD_BAD_HEADERS: 8,
  BUILD_BAD_SOURCE: 8,
  BUILD_BAD_PATH: 8,
  BUILD_OTHER_KERNEL: 8,
  BUILD_UNSUPPORTED: 8,
  BUILD_FLAG_MISSING: 8,
  BUILD_TOOLCHAIN_MISMATCH: 8,
  MODULE_DENIED: 8,
  MODULE_LOADED: 8,
  MODULE_NOT_LOADED: 8,
  MODULE_IN_USE: 8,
  MODULE_REFUSED: 8,
  MODULE_CRASHED: 8,
  TIMEOUT: 9,
  PARTIAL: 10,
  STORE_FULL: 11,
  STORE_DENIED: 11,
  STORE_DAMAGED: 11,
  STORE_NEWER: 11,
  STORE_IO: 11,
  EXEC_FAILED: 12,
  ADB_MISSING: 69,
  XZ_UNAVAILABLE: 69,
  DECODER_MISSING: 69,
  TOOLCHAIN_MISSING: 69,
  INTERRUPTED: 130,
  TERMINATED: 143,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof EXIT_CODES;

export interface KhErrorInit {
  /** What happened, without the serial: it is put in front of the message. May hold text from a device. */
  message: string;
  /** The adb serial of the device that it happened on. */
  serial?: string | undefined;
  /** The adb server that it is about, or that the device is at: named where the run is over several. */
  server?: string | undefined;
  /** Why it is likely, and what to do next. */
  hint?: string | undefined;
  /** Facts for scripts: JSON values only. */
  details?: Record<string, unknown> | undefined;
  cause?: unknown;
}

/**
 * The one error class. Anything else that reaches the command line is a bug
 * in kh and ends with exit code 1.
 */
export class KhError extends Error {
  readonly code: ErrorCode;
  readonly serial: string | undefined;
  readonly server: string | undefined;
  readonly hint: string | undefined;
  readonly details: Record<string, unknown> | undefined;
  /** The message without the device in front. */
  readonly reason: string;

  readonly #init: KhErrorInit;

  constructor(code: ErrorCode, init: KhErrorInit) {
    const reason = printable(init.message);
    const who = init.serial === undefined ? init.server : deviceName({ ...init, serial: init.serial });
    super(
      who === undefined ? reason : `${printable(who)}: ${reason}`,
      init.cause === undefined ? undefined : { cause: init.cause },
    );
    this.name = 'KhError';
    this.#init = init;
    this.code = code;
    this.reason = reason;
    this.serial = init.serial;
    this.server = init.server;
    this.hint = init.hint === undefined ? undefined : printable(init.hint);
    this.details = init.details;
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }

  /** The same failure, known to have happened on `serial`. */
  on(serial: string): KhError {
    if (this.serial !== undefined) return this;
    return new KhError(this.code, { ...this.#init, serial });
  }

  /** The same failure, with the adb server named that it is about. */
  at(server: string): KhError {
    return new KhError(this.code, { ...this.#init, server });
  }
}

/** A failure as data, for JSON results and presenters. */
export interface ErrorReport {
  code: ErrorCode;
  exitCode: number;
  message: string;
  serial?: string;
  server?: string;
  hint?: string;
  details?: Record<string, unknown>;
}

/** Whatever was thrown, as a KhError: a stranger becomes INTERNAL with its cause kept. */
export function asKhError(thrown: unknown, serial?: string): KhError {
  if (thrown instanceof KhError) return serial === undefined ? thrown : thrown.on(serial);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new KhError('INTERNAL', {
    message: `unexpected failure in kh: ${message}`,
    hint: 'This is a bug. Run again with --verbose and report what it prints.',
    serial,
    cause: thrown,
  });
}

/** @returns the report of an error, ready for JSON. */
export function errorReport(error: KhError): ErrorReport {
  return {
    code: error.code,
    exitCode: error.exitCode,
    message: error.message,
    ...(error.serial === undefined ? {} : { serial: error.serial }),
    ...(error.server === undefined ? {} : { server: error.server }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.details === undefined ? {} : { details: error.details }),
  };
}

/** With what symlink(2) fails on a file system without symbolic links. */
export const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/**
 * True for an error of Node's own calls that carries one of these codes; where
 * none is named, for that of any system call.
 * Errors of another realm count too: under jest, those of node:fs are no
 * `instanceof Error`.
 */
export function isErrno(thrown: unknown, ...codes: string[]): thrown is NodeJS.ErrnoException {
  if (!isNativeError(thrown) || !('code' in thrown)) return false;
  return codes.length === 0 ? 'syscall' in thrown : codes.includes(String(thrown.code));
}
