import { gnuEnd, gnuHeader, gnuPadding, type GnuMember } from './gnu-header';

/** A member with its content; folders and links have none. */
export interface TarEntry extends Omit<GnuMember, 'size' | 'mtime'> {
  content?: Buffer | undefined;
}

/** Long enough that the encoder is not woken for every member. */
const RUN_BYTES = 256 * 1024;

/**
 * A tar stream as GNU tar writes it, each entry asked for when the stream gets there.
 *
 * @param mtime of every member, in whole seconds since 1970
 * @throws what `entries` throws
 */
export function* gnuTar(entries: Iterable<TarEntry>, mtime: number): Generator<Buffer> {
  let run: Buffer[] = [];
  let waiting = 0;
  let written = 0;
  for (const { content = Buffer.alloc(0), ...member } of entries) {
    const size = content.length;
    const parts = [gnuHeader({ ...member, size, mtime }), content, gnuPadding(size)];
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
