/** The published types name a ReadableStream of the browser's library; this is Node's. */
declare module 'xz-decompress' {
  import { ReadableStream } from 'node:stream/web';
  export class XzReadableStream extends ReadableStream<Uint8Array> {
    constructor(compressed: ReadableStream<Uint8Array>);
  }
}
