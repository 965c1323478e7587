import { open } from 'node:fs/promises';

/**
 * Reads a file that a person named, which may be a pipe or a device that never
 * ends: no further than one byte beyond `most`, so that the caller sees that
 * it is too long.
 *
 * @throws as node:fs does
 */
export async function readBounded(path: string, most: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const pieces: Buffer[] = [];
    for (let left = most + 1; left > 0;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(left, PIECE)), 0);
      if (bytesRead === 0) break;
      pieces.push(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    return Buffer.concat(pieces);
  } finally {
    await file.close();
  }
}

const PIECE = 64 * 1024;
