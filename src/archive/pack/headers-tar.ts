import { readFileSync } from 'node:fs';
import { gnuTar, type TarEntry } from '../tar/gnu-tar';
import type { InputDigest } from './input-digest';
import { pathOf, unreadable, type HeaderFolders, type Member } from './members';
import { stripComments } from './strip-comments';

export interface HeadersTarOptions {
  /** Of every member, in whole seconds since 1970. */
  mtime: number;
  /** Told of every member with its content before stripping. */
  digest: InputDigest;
  /** Told how many members have been read. */
  onEntries: (entries: number) => void;
}

/**
 * The tar stream of an archive: each header read, stripped and written as it
 * is asked for.
 *
 * @throws KhError USAGE where a file cannot be read
 */
export function headersTar(
  folders: HeaderFolders,
  members: readonly Member[],
  { mtime, digest, onEntries }: HeadersTarOptions,
): Generator<Buffer> {
  const entries = function* (): Generator<TarEntry> {
    for (const [index, member] of members.entries()) {
      const read = readContent(folders, member);
      digest.add(member, read);
      yield { ...member, name: archiveName(member), content: read && stripComments(read) };
      onEntries(index + 1);
    }
  };
  return gnuTar(entries(), mtime);
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
