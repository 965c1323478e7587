import { KhError } from '../../core/errors';
import { humanBytes } from '../../core/human';
import { DecoderFault, type Decoder, type Fault } from './decoder';
import { inputRecord, type InputRecord } from './input-record';

export type DecoderName = 'xz' | 'native' | 'wasm';

export interface DecodeOptions {
  /** Bytes of memory the decoder may use. */
  memoryLimit: number;
  /** Bytes that may come out, all in all. */
  outputLimit: number;
  signal: AbortSignal;
  /** Takes this decoder and no other; KH_XZ in the environment does the same. */
  decoder?: DecoderName | undefined;
}

/**
 * Decodes an .xz file of one or more streams, its integrity checks included.
 * Chunks are asked for as the output is taken; an error of `chunks` itself
 * comes through as it is.
 *
 * @throws KhError ARCHIVE_CORRUPT, ARCHIVE_TRUNCATED, ARCHIVE_LIMIT, XZ_UNAVAILABLE
 * @see https://tukaani.org/xz/xz-file-format.txt
 */
export async function* decodeXz(
  chunks: AsyncIterable<Buffer>,
  options: DecodeOptions,
): AsyncGenerator<Buffer> {
  const { memoryLimit, outputLimit, signal } = options;
  const { decode } = await chooseDecoder(options.decoder ?? process.env['KH_XZ']);
  const input = inputRecord(chunks);
  let bytes = 0;
  try {
    for await (const output of decode(input.chunks, { memoryLimit, signal })) {
      signal.throwIfAborted();
      bytes += output.length;
      if (bytes > outputLimit) throw tooBig(outputLimit);
      yield output;
    }
    signal.throwIfAborted();
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof DecoderFault ? xzError(error, input, memoryLimit) : error;
  }
}

/**
 * The order in which decoders are tried. The liblzma inside lzma-native's
 * binaries is built without optimisation: the xz command takes half its time,
 * in a process of its own that stops as soon as nobody takes its output.
 */
const DECODERS: Record<DecoderName, () => Promise<Decoder | undefined>> = {
  xz: async () => (await import('./command-decoder')).loadCommandDecoder(),
  native: async () => (await import('./native-decoder')).loadNativeDecoder(),
  wasm: async () => (await import('./wasm-decoder')).loadWasmDecoder(),
};

const loaded = new Map<DecoderName, Promise<Decoder | undefined>>();

/**
 * The decoder that is used where none is asked for.
 *
 * @throws KhError XZ_UNAVAILABLE; USAGE where KH_XZ names none
 */
export async function decoderInUse(): Promise<DecoderName> {
  return (await chooseDecoder(process.env['KH_XZ'])).name;
}

async function chooseDecoder(wanted: string | undefined): Promise<{ name: DecoderName; decode: Decoder }> {
  const names = Object.keys(DECODERS) as DecoderName[];
  const tried = wanted === undefined || wanted === '' ? names : names.filter((name) => name === wanted);
  if (tried.length === 0) {
    throw new KhError('USAGE', { message: `KH_XZ is "${wanted}"; it may be ${names.join(', ')}` });
  }
  for (const name of tried) {
    const loading = loaded.get(name) ?? DECODERS[name]();
    loaded.set(name, loading);
    const decoder = await loading;
    if (decoder !== undefined) return { name, decode: decoder };
  }
  throw new KhError('XZ_UNAVAILABLE', {
    message: `no xz decoder works on this machine (tried: ${tried.join(', ')})`,
    hint: 'Install xz (package xz-utils or xz), or run npm rebuild lzma-native. KH_XZ, where it is set, allows one decoder only.',
  });
}

function xzError(cause: DecoderFault, input: InputRecord, memoryLimit: number): KhError {
  const stray = input.afterFooter();
  if (stray !== undefined && cause.fault !== 'memory') {
    return new KhError('ARCHIVE_CORRUPT', {
      message: `the xz data is followed by bytes that do not belong to it (${stray.toString('hex')}…)`,
      hint: 'Something was appended to the archive; it is not what a kernel build makes.',
      cause,
    });
  }
  return new KhError(CODES[cause.fault], {
    message: MESSAGES[cause.fault](memoryLimit),
    details: { inputBytes: input.bytes() },
    cause,
  });
}

const CODES = {
  corrupt: 'ARCHIVE_CORRUPT',
  format: 'ARCHIVE_CORRUPT',
  unsupported: 'ARCHIVE_CORRUPT',
  truncated: 'ARCHIVE_TRUNCATED',
  memory: 'ARCHIVE_LIMIT',
} as const;

const MESSAGES: Record<Fault, (memoryLimit: number) => string> = {
  corrupt: () => 'the xz data is damaged: an integrity check failed',
  format: () => 'the xz data is damaged: its headers make no sense',
  unsupported: () => 'the xz data uses a filter or an integrity check that this decoder does not know',
  truncated: () => 'the archive ends in the middle of its xz data',
  memory: (limit) => `decoding the xz data takes more memory than the ${humanBytes(limit)} allowed`,
};

function tooBig(limit: number): KhError {
  return new KhError('ARCHIVE_LIMIT', {
    message: `the archive unpacks to more than the ${humanBytes(limit)} allowed`,
    hint: 'Real headers unpack to about 30 MB: this looks like an archive made to fill the disk.',
    details: { limitBytes: limit },
  });
}
