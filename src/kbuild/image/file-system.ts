import type { ByteSource } from '../../core/byte-source';

interface Mark {
  name: string;
  at: number;
  hex: string;
}

/** Where file systems and Android's container of partitions name themselves. */
const MARKS: Mark[] = [
  { name: 'an ext4 file system', at: 0x438, hex: '53ef' },
  { name: 'an erofs file system', at: 1024, hex: 'e2e1f5e0' },
  { name: 'an f2fs file system', at: 1024, hex: '1020f5f2' },
  { name: 'a squashfs file system', at: 0, hex: '68737173' },
  { name: 'a super image, with several partitions in it', at: 4096, hex: '67446c61' },
];

/** "an erofs file system", where an image is one that Android devices have; for messages. */
export async function describeFileSystem(source: ByteSource): Promise<string | undefined> {
  const start = await source.read(0, Math.min(8192, source.size));
  return MARKS.find(({ at, hex }) => start.subarray(at, at + hex.length / 2).toString('hex') === hex)?.name;
}
