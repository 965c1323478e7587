/** tar-stream's codec for header blocks: its files are part of the package, its types leave them out. */
declare module 'tar-stream/headers' {
  import type { Headers } from 'tar-stream';
  export type DecodedHeader = Omit<Headers, 'type' | 'pax' | 'linkname' | 'size'> & {
    size: number | null;
    linkname: string | null;
    type: Headers['type'] | 'pax-global-header' | 'gnu-long-path' | 'gnu-long-link-path';
  };
  /** @returns null for a block of zeros. Throws on a wrong checksum and on an unknown magic. */
  export function decode(block: Buffer, encoding: string, allowUnknownFormat: boolean): DecodedHeader | null;
  export function decodePax(records: Buffer): Record<string, string>;
  export function decodeLongPath(bytes: Buffer, encoding: string): string;
}
