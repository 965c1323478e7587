import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { isErrno } from '../../core/errors';
import { DecoderFault, type Decoder, type Fault } from './decoder';

/** @returns a decoder in a child process, or undefined where no `xz` of XZ Utils is on the PATH (busybox lacks limits). */
export async function loadCommandDecoder(): Promise<Decoder | undefined> {
  const version = await promisify(execFile)('xz', ['--version'], { env: plainEnvironment() }).catch(
    () => undefined,
  );
  return version?.stdout.startsWith('xz (XZ Utils) 5.') === true ? decodeInChild : undefined;
}

const decodeInChild: Decoder = async function* (input, { memoryLimit, signal }) {
  signal.throwIfAborted();
  const child = spawnXz(memoryLimit);
  const kill = () => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  exited.catch(() => undefined); // Awaited below, when the output has been taken.
  const complaints = text(child.stderr).catch(() => '');
  const feeding = feed(input, child.stdin).catch((error: unknown) => {
    kill();
    return { error };
  });
  try {
    for await (const output of child.stdout) yield output as Buffer;
    const status = await exited;
    signal.throwIfAborted();
    const failed = await feeding;
    if (failed !== undefined) throw failed.error;
    if (status !== 0)
      throw new DecoderFault(faultOf(await complaints), { cause: new Error(await complaints) });
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
    await exited.catch(() => undefined);
  }
};

function spawnXz(memoryLimit: number): ChildProcessByStdio<Writable, Readable, Readable> {
  const limit = `--memlimit-decompress=${memoryLimit}`;
  return spawn('xz', ['--decompress', '--stdout', '--format=xz', '--threads=1', limit], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: plainEnvironment(),
  });
}

/** The user's XZ_OPT and XZ_DEFAULTS could lift the limits; messages are read in English. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: 'C', XZ_OPT: undefined, XZ_DEFAULTS: undefined };
}

/** A child that stops reading has its own reasons, and its exit status tells them. */
async function feed(input: AsyncIterable<Buffer>, stdin: Writable): Promise<undefined> {
  try {
    await pipeline(input, stdin);
  } catch (error) {
    if (!isErrno(error, 'EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  }
}

/** The texts of xz 5.0 to 5.8 (src/xz/message.c, message_strm). */
function faultOf(complaint: string): Fault {
  if (complaint.includes('Unexpected end of input')) return 'truncated';
  if (complaint.includes('Memory usage limit')) return 'memory';
  if (complaint.includes('File format not recognized')) return 'format';
  return complaint.includes('nsupported') ? 'unsupported' : 'corrupt';
}
