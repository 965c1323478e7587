import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { KhError, isErrno } from '../../core/errors';
import { DecoderFault, type Decoder, type DecoderOptions, type Fault } from './decoder';
import { findXz } from './find-xz';

/** @returns a decoder in a child process, or undefined where no xz command of XZ Utils is on the PATH. */
export function loadCommandDecoder(): Decoder | undefined {
  const command = findXz();
  if (command === undefined) return undefined;
  return (input, options) => decodeInChild(command, input, options);
}

async function* decodeInChild(
  command: string,
  input: AsyncIterable<Buffer>,
  { memoryLimit, signal }: DecoderOptions,
): AsyncGenerator<Buffer> {
  signal.throwIfAborted();
  const child = spawnXz(command, memoryLimit);
  const kill = () => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  exited.catch(() => undefined); // Awaited below, when the output has been taken.
  const complaints = text(child.stderr).catch(() => '');
  const failures: unknown[] = [];
  feed(input, child.stdin).catch((error: unknown) => {
    failures.push(error);
    kill();
  });
  try {
    yield* inLongRuns(child.stdout);
    const status = await exited.catch((cause: unknown) => {
      throw unusable(`${command} does not run: ${cause instanceof Error ? cause.message : ''}`, cause);
    });
    if (failures.length > 0) throw failures[0];
    if (status === null) throw unusable(`${command} was ended by someone else, perhaps for want of memory`);
    if (status !== 0) throw failureOf(command, await complaints);
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
    child.stdin.destroy();
    await exited.catch(() => undefined);
  }
}

/** The command writes 8 KiB at a time: joined, they save their readers thousands of turns and split writes. */
async function* inLongRuns(chunks: Readable): AsyncGenerator<Buffer> {
  let run: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks as AsyncIterable<Buffer>) {
    run.push(chunk);
    bytes += chunk.length;
    if (bytes < RUN_BYTES) continue;
    yield Buffer.concat(run, bytes);
    run = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(run, bytes);
}

const RUN_BYTES = 128 * 1024;

function spawnXz(command: string, memoryLimit: number): ChildProcessByStdio<Writable, Readable, Readable> {
  const limit = `--memlimit-decompress=${memoryLimit}`;
  return spawn(command, ['--decompress', '--stdout', '--format=xz', '--threads=1', limit], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: plainEnvironment(),
  });
}

/** The user's XZ_OPT and XZ_DEFAULTS could lift the limits; messages are read in English. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C', XZ_OPT: undefined, XZ_DEFAULTS: undefined };
}

/** A child that stops reading has its own reasons, and its exit status tells them. */
async function feed(input: AsyncIterable<Buffer>, stdin: Writable): Promise<void> {
  try {
    await pipeline(input, stdin);
  } catch (error) {
    if (!isErrno(error, 'EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  }
}

function failureOf(command: string, complaint: string): Error {
  const cause = new Error(complaint);
  if (!/(unrecognized|invalid|unknown) option/.test(complaint))
    return new DecoderFault(faultOf(complaint), { cause });
  return unusable(`${command} is not the xz of XZ Utils: ${complaint.slice(0, 200)}`, cause);
}

function unusable(message: string, cause?: unknown): KhError {
  const hint = 'Set KH_XZ=native or KH_XZ=wasm to do without it.';
  return new KhError('XZ_UNAVAILABLE', { message, hint, cause });
}

/** The texts of xz 5.0 to 5.8 (src/xz/message.c, message_strm). */
function faultOf(complaint: string): Fault {
  if (complaint.includes('Unexpected end of input')) return 'truncated';
  if (complaint.includes('Memory usage limit')) return 'memory';
  if (complaint.includes('File format not recognized')) return 'format';
  return complaint.includes('nsupported') ? 'unsupported' : 'corrupt';
}
