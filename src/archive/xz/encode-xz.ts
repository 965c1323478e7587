import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { KhError } from '../../core/errors';

/**
 * Compresses bytes as the kernel build does: preset 6, CRC64, one stream.
 * Takes lzma-native, or the `xz` command where that cannot be loaded.
 *
 * @throws KhError XZ_UNAVAILABLE when neither is there
 */
export async function encodeXz(bytes: Buffer): Promise<Buffer> {
  const lzma = await import('lzma-native').catch(() => undefined);
  if (lzma === undefined) return encodeWithCommand(bytes);
  const encoder = lzma.createStream('easyEncoder', { preset: 6, check: lzma.CHECK_CRC64 });
  const [encoded] = await Promise.all([buffer(encoder), pipeline(Readable.from([bytes]), encoder)]);
  return encoded;
}

async function encodeWithCommand(bytes: Buffer): Promise<Buffer> {
  const child = spawn('xz', ['-6', '-T1', '--check=crc64', '-c'], { stdio: ['pipe', 'pipe', 'ignore'] });
  try {
    const [encoded] = await Promise.all([
      buffer(child.stdout),
      pipeline(Readable.from([bytes]), child.stdin),
      new Promise<void>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`xz exited with ${code}`))));
      }),
    ]);
    return encoded;
  } catch (cause) {
    throw new KhError('XZ_UNAVAILABLE', {
      message: 'cannot compress: neither lzma-native nor the xz command works on this machine',
      hint: 'Install xz (package xz-utils or xz), or run npm rebuild lzma-native.',
      cause,
    });
  }
}
