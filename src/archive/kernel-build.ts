import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { diskError } from '../core/disk-error';
import { isErrno, KhError } from '../core/errors';
import { readBounded } from '../core/read-bounded';

/**
 * The first member of a `kernel-build.tar.xz`, by which such an archive is
 * known: it names the headers archive that the others belong to.
 */
export const KERNEL_BUILD_RECORD = 'kernel-build.json';

/** The kernel's own names for what goes with its build files. */
export const KERNEL_BUILD_FILES = { config: '.config', symvers: 'Module.symvers' } as const;

/** What a `kernel-build.tar.xz` says of itself. */
export interface KernelBuildRecord {
  /** `uname -r` of the kernel. */
  release: string;
  /** The kernel's own name of the processor, as in `arch/arm64`. */
  arch: string;
  /** The headers archive of the same build. */
  headers: { sha256: string; md5: string; bytes: number };
  /** Sources that a kernel's build cannot do without and that were not there: build files are in it only where this is empty. */
  missing: string[];
}

/** A tree with build files, and what is in it beyond them. */
export interface KernelBuildTree extends KernelBuildRecord {
  config: boolean;
  symvers: boolean;
}

/** The text of the record: always the same for the same facts. */
export function formatKernelBuildRecord({ release, arch, headers, missing }: KernelBuildRecord): string {
  const { sha256, md5, bytes } = headers;
  const fields = { kernelBuild: 1, release, arch, headers: { sha256, md5, bytes }, missing };
  return `${JSON.stringify(fields, null, 2)}\n`;
}

/**
 * Reads the record, and believes nothing that is not of the right kind.
 *
 * @throws KhError ARCHIVE_INCOMPLETE where it is damaged, or of a form that a newer kh wrote
 */
export function parseKernelBuildRecord(text: string): KernelBuildRecord {
  const record = objectOf(parsed(text), 'it holds no JSON object');
  const form = record['kernelBuild'];
  if (typeof form === 'number' && form > 1) throw unusable('it is of a newer form', 'Use a newer kh.');
  if (form !== 1) throw unusable('it is of no form that kh knows');
  const headers = objectOf(record['headers'], 'it names no headers');
  const missing = record['missing'];
  if (!Array.isArray(missing) || !missing.every((name) => isText(name, /^[\x20-\x7e]{1,256}$/)))
    throw unusable('what it lacks is no list of names');
  return {
    release: textOf(record, 'release', /^[\x21-\x7e]{1,64}$/),
    arch: textOf(record, 'arch', /^[\w-]{1,32}$/),
    headers: {
      sha256: textOf(headers, 'sha256', /^[0-9a-f]{64}$/),
      md5: textOf(headers, 'md5', /^[0-9a-f]{32}$/),
      bytes: countOf(headers, 'bytes'),
    },
    missing,
  };
}

/** Whether a tree was unpacked from a `kernel-build.tar.xz`. @throws KhError STORE_* */
export function holdsKernelBuild(treePath: string): Promise<boolean> {
  return isFile(join(treePath, KERNEL_BUILD_RECORD));
}

/**
 * What an unpacked `kernel-build.tar.xz` says of itself and holds.
 *
 * @throws KhError ARCHIVE_INCOMPLETE, ARCHIVE_LIMIT, STORE_DENIED, STORE_IO
 */
export async function inspectKernelBuild(treePath: string): Promise<KernelBuildTree> {
  const path = join(treePath, KERNEL_BUILD_RECORD);
  if (!(await isFile(path))) throw unusable('it is not there');
  try {
    const bytes = await readBounded(path, LONGEST_RECORD);
    if (bytes.length > LONGEST_RECORD) throw unusable('it is too long');
    const record = parseKernelBuildRecord(bytes.toString('utf8'));
    const { config, symvers } = KERNEL_BUILD_FILES;
    return {
      ...record,
      config: await isOfUsualSize(join(treePath, config)),
      symvers: await isOfUsualSize(join(treePath, symvers)),
    };
  } catch (error) {
    throw diskError(error, path);
  }
}

const LONGEST_RECORD = 64 * 1024;

/** Real ones have half a megabyte. Both are read at once. */
const LARGEST_FILE = 32 * 2 ** 20;

async function isOfUsualSize(path: string): Promise<boolean> {
  const size = await fileSize(path);
  if (size === undefined || size <= LARGEST_FILE) return size !== undefined;
  throw new KhError('ARCHIVE_LIMIT', {
    message: `${basename(path)} in the archive has ${size} bytes; ${LARGEST_FILE} are allowed`,
  });
}

async function isFile(path: string): Promise<boolean> {
  return (await fileSize(path)) !== undefined;
}

async function fileSize(path: string): Promise<number | undefined> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? stats.size : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw diskError(error, path);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

type Fields = Record<string, unknown>;

function objectOf(value: unknown, otherwise: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unusable(otherwise);
  return value as Fields;
}

function textOf(fields: Fields, name: string, form: RegExp): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (!isText(value, form)) throw unusable(`its ${name} is none`);
  return value;
}

function isText(value: unknown, form: RegExp): value is string {
  return typeof value === 'string' && form.test(value);
}

function countOf(fields: Fields, name: string): number {
  const value = fields[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw unusable(`its ${name} is no number`);
  return value as number;
}

function unusable(why: string, hint = '`kh pack --full` makes it anew.'): KhError {
  return new KhError('ARCHIVE_INCOMPLETE', {
    message: `the archive of the kernel's build files cannot be used: of its ${KERNEL_BUILD_RECORD}, ${why}`,
    hint,
  });
}
