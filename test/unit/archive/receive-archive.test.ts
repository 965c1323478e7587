import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { makeSampleArchive } from '../../../src/archive/sample-archive';
import { receiveArchive, type ReceiveOptions } from '../../../src/archive/receive-archive';
import { unpackArchive } from '../../../src/archive/unpack-archive';
import { KhError } from '../../../src/core/errors';
import { inChunks, limits, listing, never, rejection, scratch, type Scratch } from './support/scratch';

const hex = (kind: string, bytes: Buffer) => createHash(kind).update(bytes).digest('hex');

function receiveInto(place: Scratch, chunks: AsyncIterable<Buffer>, more: Partial<ReceiveOptions> = {}) {
  return receiveArchive(chunks, {
    partPath: place.path('archive.part'),
    treePath: place.tree,
    limits,
    signal: never,
    ...more,
  });
}

describe('receiveArchive', () => {
  let archive: Buffer = Buffer.alloc(0);
  beforeAll(async () => {
    archive = await makeSampleArchive({ release: '6.1.0-sample', extraHeaders: 100 });
  });

  it('writes, hashes and unpacks in one pass', async () => {
    using place = scratch();
    const counts: number[] = [];
    const received = await receiveInto(place, inChunks(archive, 10_000), {
      onBytes: (bytes) => counts.push(bytes),
    });
    expect(received).toMatchObject({
      bytes: archive.length,
      md5: hex('md5', archive),
      sha256: hex('sha256', archive),
      unpacked: { ok: true, tree: { links: 2, danglingLinks: [] } },
    });
    expect(readFileSync(place.path('archive.part')).equals(archive)).toBe(true);
    expect(statSync(place.path('archive.part')).mode & 0o777).toBe(0o644);
    expect(counts.at(-1)).toBe(archive.length);
    expect(counts).toEqual([...counts].sort((one, other) => one - other));
  });

  it('makes the same tree as unpacking the file that it wrote', async () => {
    using place = scratch();
    const received = await receiveInto(place, inChunks(archive));
    const again = place.path('again');
    mkdirSync(again);
    const tree = await unpackArchive(place.path('archive.part'), { treePath: again, limits, signal: never });
    expect(received.unpacked).toEqual({ ok: true, tree });
    expect(listing(again)).toEqual(listing(place.tree));
    expect(statSync(place.tree).mode & 0o777).toBe(0o755);
  });

  it('goes on to the last byte when the archive is bad, so that its digests can be compared', async () => {
    using place = scratch();
    const damaged = Buffer.from(archive);
    damaged.fill(0x55, 2000, 2100);
    const received = await receiveInto(place, inChunks(damaged, 1000));
    expect(received).toMatchObject({
      bytes: damaged.length,
      md5: hex('md5', damaged),
      unpacked: { ok: false },
    });
    expect(received.unpacked).toMatchObject({ error: { code: 'ARCHIVE_CORRUPT' } });
    expect(readFileSync(place.path('archive.part')).equals(damaged)).toBe(true);
  });

  it('hashes what is no archive at all', async () => {
    using place = scratch();
    const text = Buffer.from('cat: /sys/kernel/kheaders.tar.xz: Permission denied\n');
    const received = await receiveInto(place, inChunks(text));
    expect(received).toMatchObject({
      bytes: text.length,
      sha256: hex('sha256', text),
      unpacked: { ok: false },
    });
  });

  it('rejects with the error of the source as it is, a device that was lost above all', async () => {
    using place = scratch();
    const lost = new KhError('DEVICE_LOST', { message: 'gone', serial: 'PIXEL' });
    async function* breaking() {
      yield archive.subarray(0, 3000);
      throw lost;
    }
    expect(await rejection(receiveInto(place, breaking()))).toBe(lost);
  });

  it('asks the source for nothing while the writer is behind', async () => {
    using place = scratch();
    let asked = 0;
    let outstanding = 0;
    const source: AsyncIterable<Buffer> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          outstanding += 1;
          expect(outstanding).toBe(1);
          await new Promise(setImmediate);
          outstanding -= 1;
          const at = asked * 1000;
          asked += 1;
          return at < archive.length
            ? { done: false as const, value: archive.subarray(at, at + 1000) }
            : { done: true as const, value: undefined };
        },
      }),
    };
    expect((await receiveInto(place, source)).bytes).toBe(archive.length);
  });

  it('rejects with the reason of an abort', async () => {
    using place = scratch();
    const abort = new AbortController();
    const reason = new KhError('INTERRUPTED', { message: 'interrupted' });
    async function* endless() {
      yield archive.subarray(0, 3000);
      abort.abort(reason);
      await new Promise(setImmediate);
      yield archive.subarray(3000);
    }
    expect(await rejection(receiveInto(place, endless(), { signal: abort.signal }))).toBe(reason);
  });

  it('refuses more bytes than an archive may have', async () => {
    using place = scratch();
    const small = { ...limits, archiveBytes: 4000 };
    const error = await rejection(receiveInto(place, inChunks(archive, 1000), { limits: small }));
    expect(error).toMatchObject({
      code: 'ARCHIVE_LIMIT',
      message: expect.stringContaining('4 KB') as string,
    });
  });

  it('does not write over a file that is there', async () => {
    using place = scratch();
    writeFileSync(place.path('archive.part'), 'mine');
    expect(await rejection(receiveInto(place, inChunks(archive)))).toMatchObject({ code: 'STORE_IO' });
    expect(readFileSync(place.path('archive.part'), 'utf8')).toBe('mine');
  });

  it('gives files 0644 and directories 0755 under a strict umask', async () => {
    using place = scratch();
    const before = process.umask(0o077);
    try {
      await receiveInto(place, inChunks(archive));
    } finally {
      process.umask(before);
    }
    const modes = [...listing(place.tree).values()].map((what) => what.split(' ').slice(0, 2).join(' '));
    expect(new Set(modes.filter((mode) => !mode.startsWith('link')))).toEqual(
      new Set(['directory 755', 'file 644']),
    );
    chmodSync(place.tree, 0o700);
  });

  it.each([
    ['ENOSPC', 'STORE_FULL'],
    ['EDQUOT', 'STORE_FULL'],
    ['EROFS', 'STORE_DENIED'],
    ['EIO', 'STORE_IO'],
  ])('reports %s while writing the tree as %s with the path', async (errno, code) => {
    using place = scratch();
    await jest.isolateModulesAsync(async () => {
      const fs = jest.requireActual<typeof import('node:fs')>('node:fs');
      jest.doMock('node:fs', () => ({
        ...fs,
        openSync: () => {
          throw Object.assign(new Error(`${errno}: made up`), { code: errno });
        },
      }));
      const fresh = await import('../../../src/archive/receive-archive');
      const received = await fresh.receiveArchive(inChunks(archive), {
        partPath: place.path('archive.part'),
        treePath: place.tree,
        limits,
        signal: never,
        expectedBytes: archive.length,
      });
      expect(received.unpacked).toMatchObject({ ok: false, error: { code } });
      const { error } = received.unpacked as { error: KhError };
      expect(error.message).toContain(place.tree);
      if (code === 'STORE_FULL') expect(error.message).toMatch(/needed, .* free/);
      jest.dontMock('node:fs');
    });
  });
});
