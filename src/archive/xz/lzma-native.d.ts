/**
 * The part of lzma-native 8 that kh uses. Its README and the published types
 * show option names that the code does not read: `flags` and `check` are
 * numbers, or they silently count as 0.
 */
declare module 'lzma-native' {
  import type { Transform, TransformOptions } from 'node:stream';

  interface CoderOptions extends TransformOptions {
    /** Bitwise or of CONCATENATED and the TELL_* flags. */
    flags?: number;
    /** Bytes; not limited when left out. */
    memlimit?: number;
    preset?: number;
    check?: number;
  }
  interface LzmaStream extends Transform {
    /** Size of one output buffer, in bytes. */
    bufsize: number;
    /** Frees the coder. Not to be called while a chunk is being decoded. */
    cleanup(): void;
  }

  export const CONCATENATED: number;
  export const TELL_UNSUPPORTED_CHECK: number;
  export const CHECK_CRC64: number;
  export function createStream(coder: 'streamDecoder' | 'easyEncoder', options: CoderOptions): LzmaStream;
}
