import { KhError } from '../../core/errors';

/** Little-endian numbers and strings of a file, none of which can be read beyond its end. */
export class ByteReader {
  constructor(
    private readonly bytes: Buffer,
    private readonly path: string,
  ) {}

  u8(at: number): number {
    this.need(at, 1);
    return this.bytes.readUInt8(at);
  }

  u16(at: number): number {
    this.need(at, 2);
    return this.bytes.readUInt16LE(at);
  }

  u32(at: number): number {
    this.need(at, 4);
    return this.bytes.readUInt32LE(at);
  }

  /** Exact up to 2^53. */
  u64(at: number): number {
    return this.u32(at + 4) * 2 ** 32 + this.u32(at);
  }

  /** Exact from -2^53 to 2^53. */
  s64(at: number): number {
    this.need(at, 8);
    return this.bytes.readInt32LE(at + 4) * 2 ** 32 + this.bytes.readUInt32LE(at);
  }

  /** The string that starts at `at` in a string table. */
  string(table: { offset: number; size: number }, at: number): string {
    const start = table.offset + at;
    const end = this.bytes.indexOf(0, start);
    if (at >= table.size || end === -1 || end >= table.offset + table.size) {
      this.fail('has a name that is outside its table of names');
    }
    return this.bytes.toString('latin1', start, end);
  }

  view(offset: number, size: number): Buffer {
    this.need(offset, size);
    return this.bytes.subarray(offset, offset + size);
  }

  /** @throws KhError BUILD_BAD_OBJECT unless the file has these bytes */
  need(offset: number, size: number, what = 'a field of it'): void {
    if (!(offset >= 0 && size >= 0 && offset + size <= this.bytes.length)) {
      this.fail(`ends before the end of ${what}`);
    }
  }

  fail(why: string): never {
    throw badObject(this.path, why);
  }
}

/** @returns the error for an object file that can't be what a compiler made */
export function badObject(path: string, why: string): KhError {
  return new KhError('BUILD_BAD_OBJECT', {
    message: `${path} ${why}`,
    hint: 'It was cut off, or made for another processor, or is no object file: remove it and build again.',
    details: { path },
  });
}
