import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { KhError, isErrno } from '../../core/errors';

/** What a command would not unpack. */
export class CommandFault extends Error {}

/** Formats that Node 20 has no decoder for, and the commands that do: their first stream, and its end. */
const COMMANDS = {
  xz: ['--decompress', '--stdout', '--format=xz', '--single-stream', '--memlimit-decompress=512MiB'],
  zstd: ['--decompress', '--stdout', '--quiet', '--memory=512MB'],
};

/**
 * Unpacks with the `xz` or `zstd` command.
 *
 * @param limit most bytes to give
 * @param part whether `bytes` are cut off, or no more is wanted than `limit`: what they give is good enough
 * @throws KhError DECODER_MISSING; CommandFault; or the signal's reason
 */
export async function unpackByCommand(
  command: keyof typeof COMMANDS,
  bytes: Buffer,
  { limit, signal, part = false }: { limit: number; signal: AbortSignal; part?: boolean },
): Promise<Buffer> {
  signal.throwIfAborted();
  // The user's XZ_OPT and ZSTD_CLEVEL must not change what the command does.
  const env = { ...process.env, LC_ALL: 'C', XZ_OPT: undefined, XZ_DEFAULTS: undefined };
  const child = spawn(command, COMMANDS[command], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const kill = () => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(isErrno(error, 'ENOENT') ? missing(command) : error));
    child.once('close', resolve);
  });
  exited.catch(() => undefined); // Awaited below, when the output has been taken.
  child.stdin.on('error', () => undefined); // A command that stops reading says why by its status.
  child.stdin.end(bytes);
  const complaint = text(child.stderr).catch(() => '');
  try {
    const output: Buffer[] = [];
    let length = 0;
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      output.push(chunk);
      length += chunk.length;
      if (length > limit && part) break;
      if (length > limit) throw new CommandFault(`it unpacks to more than ${limit} bytes`);
    }
    if (part) return Buffer.concat(output, length);
    const status = await exited;
    signal.throwIfAborted();
    if (status !== 0) throw new CommandFault(`${command} says: ${(await complaint).trim().slice(0, 200)}`);
    return Buffer.concat(output, length);
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
  }
}

function missing(command: string): KhError {
  return new KhError('DECODER_MISSING', {
    message: `the kernel is packed with ${command}, and there is no ${command} command on the PATH`,
    hint: `Install ${command}, or unpack the kernel yourself and name the result.`,
    details: { command },
  });
}
