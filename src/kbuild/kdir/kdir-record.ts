import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../../core/disk-error';
import { KhError, isErrno } from '../../core/errors';
import type { KernelArch } from '../kernel-config';

const NAME = 'kh.json';

/** What a kdir says of itself in its `kh.json`, for the tools that its Makefiles run. Paths are absolute. */
export interface KdirRecord {
  /** The version of this file's form. */
  kdir: 1;
  arch: KernelArch;
  /** `uname -r`. */
  release: string;
  /** The tree of the pulled archive: `include/`, `arch/`. */
  headers: string;
  /** The kernel's exported symbols in five columns; null where none are known. */
  symvers: string | null;
  compiler: { kind: 'clang' | 'gcc'; command: string; version: string };
  linker: { command: string; version: string };
}

/** Where the record of a kdir is. */
function kdirRecordPath(kdirPath: string): string {
  return join(kdirPath, NAME);
}

/**
 * Reads the record of a kdir.
 *
 * @throws KhError BUILD_BAD_HEADERS when the folder is no kdir, or one of another version of kh; STORE_*
 */
export function readKdirRecord(kdirPath: string): KdirRecord {
  const path = kdirRecordPath(kdirPath);
  const record = parsed(readText(path), path);
  if (isRecord(record)) return record;
  throw notOurs(path, 'is of another version of kh');
}

function isRecord(value: unknown): value is KdirRecord {
  return typeof value === 'object' && value !== null && 'kdir' in value && value.kdir === 1;
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw notOurs(path, 'is damaged');
    throw error;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR'))
      throw notOurs(path, 'is not there: this folder is no KDIR of kh');
    throw diskError(error, path);
  }
}

function notOurs(path: string, why: string): KhError {
  return new KhError('BUILD_BAD_HEADERS', {
    message: `${path} ${why}`,
    hint: 'Run kh build-module or kh env again: they write the KDIR anew.',
    details: { path },
  });
}
