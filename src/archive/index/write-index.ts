import { closeSync, openSync, writeSync } from 'node:fs';
import { diskError } from '../../core/disk-error';
import { KhError } from '../../core/errors';
import type { ArchiveLimits } from '../../core/limits';
import { digestedChunks } from '../digested-chunks';
import { releaseIn, UTSRELEASE } from '../headers-tree';
import { feedTar } from '../tar/feed-tar';
import { memberPolicy } from '../tar/member-policy';
import { tarReader, type TarMember } from '../tar/tar-reader';
import { decodeXz } from '../xz/decode-xz';
import { indexEnd, type IndexMember } from './index-file';

export interface WriteIndexOptions {
  /** The file to make; it must not be there yet. */
  path: string;
  limits: ArchiveLimits;
  signal: AbortSignal;
  /** Told how many bytes of the archive have been read so far. */
  onBytes?: ((bytes: number) => void) | undefined;
}

/** What was read, and what came of it. */
export interface WrittenIndex {
  bytes: number;
  /** Lower-case hex. */
  md5: string;
  sha256: string;
  /** The digests are those of all bytes either way. */
  outcome: { ok: true; release: string } | { ok: false; error: KhError };
}

/**
 * Makes the index of an archive in one pass, under the rules of unpacking one:
 * what would be refused there is refused here.
 *
 * When the archive is bad, the rest of it is still read and hashed: whether it
 * was damaged on the way shows in its md5. An error of `chunks` itself is
 * thrown as it is.
 *
 * @throws KhError STORE_FULL, STORE_DENIED, STORE_IO, ARCHIVE_LIMIT (`archiveBytes`); or the signal's reason
 */
export async function writeIndex(
  source: AsyncIterable<Buffer>,
  options: WriteIndexOptions,
): Promise<WrittenIndex> {
  const digested = digestedChunks(source, options);
  const outcome = await writeContents(digested.chunks, options);
  return { ...(await digested.rest()), outcome };
}

async function writeContents(
  chunks: AsyncIterable<Buffer>,
  { path, limits, signal }: WriteIndexOptions,
): Promise<WrittenIndex['outcome']> {
  const file = bufferedFile(path);
  const { reader, finish } = indexing(file, limits);
  const tar = decodeXz(chunks, {
    memoryLimit: limits.decoderMemoryBytes,
    outputLimit: limits.unpackedBytes,
    signal,
  });
  try {
    await feedTar(tar, reader, signal);
    return { ok: true, release: finish() };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof KhError && error.code.startsWith('ARCHIVE_')) return { ok: false, error };
    throw error;
  } finally {
    file.close();
  }
}

/** A reader that writes the contents as they come, and the table at the end. */
function indexing(file: BufferedFile, limits: ArchiveLimits) {
  const policy = memberPolicy(limits, { foldsCase: false, foldsUnicode: false });
  const members: IndexMember[] = [];
  let content: Buffer[] | undefined;
  let release = '';
  let inFile = false;

  function member(header: TarMember): void {
    const admitted = policy.admit(header);
    const { kind, path } = admitted;
    const mode = header.mode ?? 0;
    for (const folder of admitted.newFolders) {
      members.push({ kind: 'directory', path: folder, mode: folder === path ? mode : 0o755 });
    }
    inFile = kind === 'file';
    if (path === UTSRELEASE) content = [];
    if (kind === 'file') members.push({ kind, path, mode, size: admitted.size, offset: file.position() });
    if (kind === 'symlink') members.push({ kind, path, mode, target: admitted.target });
  }

  function endMember(): void {
    if (inFile) file.write(Buffer.from('\n'));
    if (content !== undefined) release = releaseIn(Buffer.concat(content).toString('latin1')) ?? '';
    content = undefined;
  }

  const reader = tarReader({
    member,
    content: (piece) => {
      file.write(piece);
      content?.push(Buffer.from(piece));
    },
    endMember,
  });
  const finish = () => {
    policy.finish();
    file.write(indexEnd({ release, members }));
    file.flush();
    return release;
  };
  return { reader, finish };
}

type BufferedFile = ReturnType<typeof bufferedFile>;

const BUFFER = 2 ** 20;

/** A file that small pieces are written to; `flush` at the end. */
function bufferedFile(path: string) {
  const onDisk = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw diskError(error, path);
    }
  };
  const fd = onDisk(() => openSync(path, 'wx', 0o600));
  const buffer = Buffer.allocUnsafe(BUFFER);
  let held = 0;
  let written = 0;

  function flush(): void {
    for (let at = 0; at < held;) at += onDisk(() => writeSync(fd, buffer, at, held - at));
    written += held;
    held = 0;
  }

  function write(piece: Buffer): void {
    for (let at = 0; at < piece.length;) {
      if (held === BUFFER) flush();
      const taken = piece.copy(buffer, held, at);
      held += taken;
      at += taken;
    }
  }

  return { write, flush, position: () => written + held, close: () => closeSync(fd) };
}
