import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEnd, openFileSource } from '../../../src/core/byte-source';
import { failureOf } from '../kbuild/image/failure';

const folder = mkdtempSync(join(tmpdir(), 'kh-source-'));
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = Buffer.from(Array.from({ length: 5000 }, (_, n) => n % 251));

describe('openFileSource', () => {
  it('reads parts of a file', async () => {
    const path = join(folder, 'Image');
    writeFileSync(path, bytes);
    await using source = await openFileSource(path);
    expect(source.size).toBe(bytes.length);
    expect(await source.read(100, 50)).toEqual(bytes.subarray(100, 150));
  });

  it('says so when the file is not there, or shrinks', async () => {
    const missing = await failureOf(() => openFileSource(join(folder, 'missing')));
    expect([missing.code, missing.message]).toEqual(['USAGE', expect.stringContaining('no such file')]);
    const path = join(folder, 'shrinks');
    writeFileSync(path, bytes);
    await using source = await openFileSource(path);
    writeFileSync(path, 'short');
    expect((await failureOf(() => source.read(0, 100))).message).toContain('ended while it was read');
  });

  it('refuses folders, pipes, sockets and character devices, and waits for none of them', async () => {
    const pipe = join(folder, 'pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    const socket = join(folder, 'socket');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    try {
      for (const [path, what] of [
        [folder, 'is a folder'],
        [pipe, 'is a pipe'],
        [socket, 'is a socket'],
        ['/dev/null', 'is a character device'],
      ] as const) {
        const error = await failureOf(() => openFileSource(path));
        expect([error.code, error.message]).toEqual(['USAGE', expect.stringContaining(what)]);
        expect(error.hint).toBeDefined();
      }
    } finally {
      server.close();
    }
  });

  const made = '/proc/version';
  const only = process.platform === 'linux' ? it : it.skip;
  only('finds the size of what stat tells none of, as of a block device', async () => {
    await using source = await openFileSource(made);
    expect(await source.read(0, source.size)).toEqual(readFileSync(made));
  });
});

describe('findEnd', () => {
  it('finds the size of any device in few reads', async () => {
    const size = fc.oneof(
      fc.nat(10),
      fc.maxSafeNat().map((n) => n % 2 ** 48),
    );
    await fc.assert(
      fc.asyncProperty(size, async (end) => {
        let reads = 0;
        const found = await findEnd((offset) => {
          reads += 1;
          return Promise.resolve(offset < end);
        });
        expect(found).toBe(end);
        expect(reads).toBeLessThan(100);
      }),
    );
  });

  it('gives up on what has no end', async () => {
    expect(await findEnd(() => Promise.resolve(true))).toBeGreaterThanOrEqual(2 ** 51);
  });
});
