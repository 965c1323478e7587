import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { KhError } from '../../core/errors';
import { findXz } from './find-xz';

/** Bytes go in, one stream of an .xz file comes out; both ends wait for each other. */
type Encoder = (input: Iterable<Buffer>, signal: AbortSignal) => AsyncIterable<Buffer>;

/**
 * Compresses bytes as the kernel build does: preset 6, CRC64, one stream.
 * Takes lzma-native, or the `xz` command where that cannot be loaded.
 *
 * @throws KhError XZ_UNAVAILABLE when neither is there
 */
export async function encodeXz(bytes: Buffer): Promise<Buffer> {
  const encode = (await nativeEncoder()) ?? commandEncoder(IN_ONE) ?? unavailable();
  const parts: Buffer[] = [];
  for await (const part of encode([bytes], new AbortController().signal)) parts.push(part);
  return Buffer.concat(parts);
}

export interface StreamOptions {
  signal: AbortSignal;
  /**
   * Compresses on all processors, in blocks: twice as fast on two of them. How
   * many there are does not show in the bytes. Without the xz command it is one block.
   */
  parallel: boolean;
}

/**
 * The same for a stream, in one block unless it is `parallel`. The `xz` command
 * comes first: it works on a processor of its own, and gives the very bytes of
 * a kernel build on this machine; lzma-native's older liblzma need not.
 *
 * @throws KhError XZ_UNAVAILABLE; or the signal's reason, or what `input` throws
 */
export async function* encodeXzStream(
  input: Iterable<Buffer>,
  { signal, parallel }: StreamOptions,
): AsyncGenerator<Buffer> {
  const encode = commandEncoder(parallel ? IN_BLOCKS : IN_ONE) ?? (await nativeEncoder()) ?? unavailable();
  yield* encode(input, signal);
}

async function nativeEncoder(): Promise<Encoder | undefined> {
  const lzma = await import('lzma-native').catch(() => undefined);
  if (lzma === undefined) return undefined;
  return async function* encodeNatively(input, signal) {
    const encoder = lzma.createStream('easyEncoder', { preset: 6, check: lzma.CHECK_CRC64 });
    // From a Readable only: fed by an iterable, lzma-native's stream never ends.
    const feeding = pipeline(Readable.from(input), encoder, { signal });
    feeding.catch(() => undefined); // The loop below meets the same error.
    for await (const output of encoder) yield output as Buffer;
    await feeding;
  };
}

const IN_ONE = ['--threads=1'];
/** With a single thread, xz writes its blocks in another form. A block is as long as the dictionary. */
const IN_BLOCKS = [`--threads=${Math.max(2, availableParallelism())}`, '--block-size=8MiB'];

function commandEncoder(division: readonly string[]): Encoder | undefined {
  const command = findXz();
  if (command === undefined) return undefined;
  return async function* encodeInChild(input, signal) {
    signal.throwIfAborted();
    // Whatever the user's XZ_OPT asks for, the archive is to have the kernel's form.
    const env = { ...process.env, XZ_OPT: undefined, XZ_DEFAULTS: undefined };
    const words = ['-6', ...division, '--check=crc64', '--format=xz', '--stdout'];
    const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'ignore'], env });
    const ended = new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`xz ended with ${code}`))));
    });
    ended.catch(() => undefined); // Awaited below, when the output has been taken.
    const feeding = pipeline(input, child.stdin, { signal });
    feeding.catch(() => child.kill('SIGKILL'));
    try {
      for await (const output of child.stdout) yield output as Buffer;
      await feeding.catch((error: unknown) => throwUnlessBroken(error, ended));
      await ended.catch((cause: unknown) => unavailable(cause));
    } finally {
      child.kill('SIGKILL');
    }
  };
}

/** A pipe that broke is xz's failure, which its exit tells; anything else failed on our side. */
async function throwUnlessBroken(error: unknown, ended: Promise<void>): Promise<void> {
  const broken = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'];
  if (!broken.includes(String((error as { code?: unknown }).code))) throw error;
  await ended.catch((cause: unknown) => unavailable(cause));
  throw error;
}

function unavailable(cause?: unknown): never {
  throw new KhError('XZ_UNAVAILABLE', {
    message: 'cannot compress: neither lzma-native nor the xz command works on this machine',
    hint: 'Install xz (package xz-utils or xz), or run npm rebuild lzma-native.',
    cause,
  });
}
