import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { KhError, isErrno } from '../../core/errors';
import type { ArchiveLimits } from '../../core/limits';
import { formatKernelBuildRecord, KERNEL_BUILD_RECORD, type KernelBuildRecord } from '../kernel-build';
import { gnuTar, type TarEntry } from '../tar/gnu-tar';
import { archiveChunks } from '../unpack-archive';
import { decodeXz } from '../xz/decode-xz';
import { unreadable } from './members';

/** A file of the archive, and where it is on this machine; or a link. */
export type BuildMember = { name: string } & ({ path: string } | { target: string });

/**
 * The tar stream of a `kernel-build.tar.xz`: its record, then `members` in
 * their order. Files are 0755 where they begin as scripts do and 0644
 * otherwise, whatever they are on disk. What is no text, as programs for the
 * machine that packs, has no place in it.
 *
 * @param mtime of every member, in whole seconds since 1970
 * @param onEntries told how many members have been read
 * @throws KhError USAGE where a file cannot be read
 */
export function kernelBuildTar(
  record: KernelBuildRecord,
  members: readonly BuildMember[],
  { mtime, onEntries }: { mtime: number; onEntries?: (entries: number) => void },
): Generator<Buffer> {
  const entries = function* (): Generator<TarEntry> {
    const first = Buffer.from(formatKernelBuildRecord(record));
    yield { name: `./${KERNEL_BUILD_RECORD}`, kind: 'file', mode: 0o644, content: first };
    for (const [index, member] of members.entries()) {
      const entry = entryOf(member);
      if (entry !== undefined) yield entry;
      onEntries?.(index + 1);
    }
  };
  return gnuTar(entries(), mtime);
}

function entryOf(member: BuildMember): TarEntry | undefined {
  const name = `./${Buffer.from(member.name).toString('latin1')}`;
  if ('target' in member) return { name, kind: 'symlink', mode: 0o777, target: member.target };
  const content = contentOf(member.path);
  if (isBinary(content)) return undefined;
  return { name, kind: 'file', mode: content.subarray(0, 2).equals(SCRIPT) ? 0o755 : 0o644, content };
}

const SCRIPT = Buffer.from('#!');

/** As git tells them apart (buffer_is_binary in its xdiff-interface.c). */
function isBinary(content: Buffer): boolean {
  return content.subarray(0, 8000).includes(0);
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/**
 * Whether an archive that is there holds the very bytes that packing would put
 * into it.
 *
 * @param tar the stream for a given time of all members
 * @param mtime that time; that of the archive itself where left out
 */
export async function holdsTar(
  archivePath: string,
  tar: (mtime: number) => Iterable<Buffer>,
  { mtime, limits, signal }: { mtime?: number | undefined; limits: ArchiveLimits; signal: AbortSignal },
): Promise<boolean> {
  const there = await tarDigest(archivePath, limits, signal);
  if (there === undefined) return false;
  const time = mtime ?? there.mtime;
  if (time === undefined) return false;
  const digest = createHash('sha256');
  for (const chunk of tar(time)) digest.update(chunk);
  return digest.digest('hex') === there.sha256;
}

/** Undefined where no archive is there, or none that is whole. */
async function tarDigest(
  path: string,
  limits: ArchiveLimits,
  signal: AbortSignal,
): Promise<{ sha256: string; mtime: number | undefined } | undefined> {
  const digest = createHash('sha256');
  let start: Buffer = Buffer.alloc(0);
  const decoding = { memoryLimit: limits.decoderMemoryBytes, outputLimit: limits.unpackedBytes, signal };
  try {
    await stat(path);
    for await (const chunk of decodeXz(archiveChunks(path), decoding)) {
      if (start.length < HEADER) start = Buffer.concat([start, chunk]).subarray(0, HEADER);
      digest.update(chunk);
    }
  } catch (error) {
    const isNone =
      isErrno(error, 'ENOENT') || (error instanceof KhError && error.code.startsWith('ARCHIVE_'));
    if (isNone) return undefined;
    throw error;
  }
  return { sha256: digest.digest('hex'), mtime: memberTime(start) };
}

const HEADER = 512;

/** The time in the header of a member, as GNU tar writes it in octal digits. */
function memberTime(header: Buffer): number | undefined {
  const digits = /^([0-7]{11})\0$/.exec(header.toString('latin1', 136, 148))?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}
