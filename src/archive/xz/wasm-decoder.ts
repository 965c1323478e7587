import { ReadableStream } from 'node:stream/web';
import { isNativeError } from 'node:util/types';
import { unlessAborted } from '../../core/abort';
import { DecoderFault, type Decoder, type Fault } from './decoder';

/** @returns xz-embedded as WebAssembly: no binary and no command needed, and the slowest of the three. */
export async function loadWasmDecoder(): Promise<Decoder | undefined> {
  const wasm = await import('xz-decompress').catch(() => undefined);
  if (wasm === undefined) return undefined;
  return async function* decodeInWasm(input, { signal }) {
    const failure: { error?: unknown } = {};
    const stream = new wasm.XzReadableStream(asWebStream(input, signal, failure));
    try {
      for await (const output of stream) {
        signal.throwIfAborted();
        if (output.length > 0) yield Buffer.from(output.buffer, output.byteOffset, output.length);
      }
    } catch (error) {
      throw 'error' in failure ? failure.error : asFault(error);
    }
  };
}

/** The library cannot take an empty run, and hides nothing of an error but its stack: `failure` keeps it. */
function asWebStream(
  input: AsyncIterable<Buffer>,
  signal: AbortSignal,
  failure: { error?: unknown },
): ReadableStream<Uint8Array> {
  const iterator = input[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next = await unlessAborted(iterator.next(), signal);
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      } catch (error) {
        failure.error = error;
        controller.error(error);
      }
    },
  });
}

/** `enum xz_ret` of xz-embedded (linux/include/linux/xz.h). */
const FAULTS: Record<string, Fault> = {
  2: 'unsupported',
  3: 'memory',
  4: 'memory',
  5: 'format',
  6: 'unsupported',
  7: 'corrupt',
  8: 'truncated',
};

function asFault(error: unknown): unknown {
  if (!isNativeError(error)) return error;
  const code = /get_next_output failed with error code (\d+)/.exec(error.message)?.[1] ?? '';
  const fault = FAULTS[code];
  return fault === undefined ? error : new DecoderFault(fault, { cause: error });
}
