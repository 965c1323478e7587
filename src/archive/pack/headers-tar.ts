import { readFileSync } from 'node:fs';
import { gnuEnd, gnuHeader, gnuPadding } from '../tar/gnu-header';
import type { InputDigest } from './input-digest';
import { pathOf, unreadable, type HeaderFolders, type Member } from './members';
import { stripComments } from './strip-comments';

/** Long enough that the encoder is not woken for every header. */
const RUN_BYTES = 256 * 1024;

/**
 * The tar stream of an archive: each header read, stripped and written as it
 * is asked for.
 *
 * @param mtime of every member, in whole seconds since 1970
 * @param digest is told of every member with its content before stripping
 * @throws KhError USAGE where a file cannot be read
 */
export function* headersTar(
  folders: HeaderFolders,
  members: readonly Member[],
  { mtime, digest }: { mtime: number; digest: InputDigest },
): Generator<Buffer> {
  let run: Buffer[] = [];
  let waiting = 0;
  let written = 0;
  for (const member of members) {
    const read = readContent(folders, member);
    digest.add(member, read);
    const content = read === undefined ? Buffer.alloc(0) : stripComments(read);
    const size = content.length;
    const parts = [
      gnuHeader({ ...member, name: archiveName(member), size, mtime }),
      content,
      gnuPadding(size),
    ];
    run.push(...parts);
    waiting += parts.reduce((total, part) => total + part.length, 0);
    if (waiting < RUN_BYTES) continue;
    written += waiting;
    yield Buffer.concat(run, waiting);
    run = [];
    waiting = 0;
  }
  yield Buffer.concat([...run, gnuEnd(written + waiting)]);
}

/** What a file holds in the build; undefined for folders and links. @throws KhError USAGE */
export function readContent(folders: HeaderFolders, { kind, name, origin }: Member): Buffer | undefined {
  if (kind !== 'file') return undefined;
  const path = pathOf(folders[origin], name);
  try {
    return readFileSync(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function archiveName({ name, kind }: Member): string {
  if (name === '') return './';
  return kind === 'directory' ? `./${name}/` : `./${name}`;
}
