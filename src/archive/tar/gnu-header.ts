/** One member as GNU tar writes it. Names are bytes, one to a character (latin1). */
export interface GnuMember {
  /** As it stands in the archive; that of a folder ends with a slash. */
  name: string;
  kind: 'file' | 'directory' | 'symlink';
  /** Permission bits. */
  mode: number;
  /** Bytes of content; 0 for folders and links. */
  size: number;
  /** Whole seconds since 1970, below 2^33. */
  mtime: number;
  /** Where a link leads. */
  target?: string;
}

const BLOCK = 512;

/** GNU tar writes whole records of 20 blocks, the last one filled with zeros. */
const RECORD = 20 * BLOCK;

const TYPES = { file: '0', directory: '5', symlink: '2' } as const;

/** What a name field holds; GNU tar needs no zero behind it. */
const NAME_BYTES = 100;

/**
 * The blocks in front of a member's content, the same bytes as of
 * `tar --format=gnu --owner=0 --group=0 --numeric-owner`: one, or more where a
 * name is too long for it.
 *
 * @see GNU tar, src/create.c (start_header, write_gnu_long_link)
 */
export function gnuHeader(member: GnuMember): Buffer {
  const { name, target = '' } = member;
  const blocks = [
    ...(target.length > NAME_BYTES ? longName('K', target) : []),
    ...(name.length > NAME_BYTES ? longName('L', name) : []),
    block({ ...member, type: TYPES[member.kind], target }),
  ];
  return blocks.length === 1 ? (blocks[0] as Buffer) : Buffer.concat(blocks);
}

/** Zeros that fill the last block of a member's content. */
export function gnuPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** The end of an archive of which `bytes` have been written: two blocks of zeros, and the rest of the record. */
export function gnuEnd(bytes: number): Buffer {
  const end = bytes + 2 * BLOCK;
  return Buffer.alloc(2 * BLOCK + ((RECORD - (end % RECORD)) % RECORD));
}

/** A member of its own that holds the name of the next one. */
function longName(type: 'K' | 'L', name: string): Buffer[] {
  const content = Buffer.from(`${name}\0`, 'latin1');
  const size = content.length;
  const header = block({ name: '././@LongLink', type, mode: 0o644, size, mtime: 0, target: '' });
  return [header, content, gnuPadding(size)];
}

interface HeaderFields extends Omit<GnuMember, 'kind'> {
  type: string;
  target: string;
}

function block({ name, type, mode, size, mtime, target }: HeaderFields): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name.slice(0, NAME_BYTES), 0, 'latin1');
  header.write(`${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100, 'latin1');
  header.write(`${octal(size, 11)}\0${octal(mtime, 11)}\0`, 124, 'latin1');
  header.write(`        ${type}`, 148, 'latin1');
  header.write(target.slice(0, NAME_BYTES), 157, 'latin1');
  header.write('ustar  \0', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
