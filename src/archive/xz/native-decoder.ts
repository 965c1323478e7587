import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isNativeError } from 'node:util/types';
import { DecoderFault, type Decoder, type Fault } from './decoder';

/**
 * One run of input is decoded as a whole before anyone can look at the
 * output, and 1 KiB of a bomb becomes 7 MB: so the runs are short.
 */
const INPUT_BYTES = 8 * 1024;

/** Output that may wait, so that decoding goes on in its thread while files are written in ours. */
const READ_AHEAD_BYTES = 1024 * 1024;

/** @returns lzma-native's decoder, or undefined where its binary does not load. */
export async function loadNativeDecoder(): Promise<Decoder | undefined> {
  const lzma = await import('lzma-native').catch(() => undefined);
  if (lzma === undefined) return undefined;
  return async function* decodeNatively(input, { memoryLimit, signal }) {
    const stream = lzma.createStream('streamDecoder', {
      flags: lzma.CONCATENATED | lzma.TELL_UNSUPPORTED_CHECK,
      memlimit: memoryLimit,
      writableHighWaterMark: 1,
      readableHighWaterMark: READ_AHEAD_BYTES,
    });
    const feeding = pipeline(Readable.from(shortRuns(input), { highWaterMark: 1 }), stream, { signal });
    feeding.catch(() => undefined); // The loop below meets the same error.
    try {
      for await (const output of stream) yield output as Buffer;
      await feeding;
    } catch (error) {
      throw asFault(error);
    }
  };
}

async function* shortRuns(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of input) {
    for (let at = 0; at < chunk.length; at += INPUT_BYTES) yield chunk.subarray(at, at + INPUT_BYTES);
  }
}

const FAULTS: Record<string, Fault> = {
  LZMA_DATA_ERROR: 'corrupt',
  LZMA_BUF_ERROR: 'truncated',
  LZMA_FORMAT_ERROR: 'format',
  LZMA_MEMLIMIT_ERROR: 'memory',
  LZMA_MEM_ERROR: 'memory',
  LZMA_OPTIONS_ERROR: 'unsupported',
  LZMA_UNSUPPORTED_CHECK: 'unsupported',
};

function asFault(error: unknown): unknown {
  const fault = isNativeError(error) ? FAULTS[error.name] : undefined;
  return fault === undefined ? error : new DecoderFault(fault, { cause: error });
}
