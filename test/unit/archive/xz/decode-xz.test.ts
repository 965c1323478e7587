import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { storedXz } from '../../../../fixtures/archives/stored-xz';
import { makeSampleArchive, makeSampleTar } from '../../../../src/archive/sample-archive';
import { decodeXz, type DecodeOptions } from '../../../../src/archive/xz/decode-xz';
import { encodeXz } from '../../../../src/archive/xz/encode-xz';
import { inChunks, never, rejection, scratch } from '../support/scratch';

jest.setTimeout(60_000); // Children and WebAssembly take their time on a busy machine.

const options: DecodeOptions = { memoryLimit: 128 * 2 ** 20, outputLimit: 2 ** 30, signal: never };

/** The `xz` processes that are children of this one. */
function xzChildren(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        return /\(xz\) \S (\d+)/.exec(stat)?.[1] === String(process.pid);
      } catch {
        return false; // It ended while we looked.
      }
    })
    .map(Number);
}

describe.each(['xz', 'native', 'wasm'] as const)('the %s decoder', (decoder) => {
  const decode = (bytes: Buffer, chunk?: number, more: Partial<DecodeOptions> = {}) =>
    buffer(decodeXz(inChunks(bytes, chunk), { ...options, decoder, ...more }));

  it('gives back what was encoded, however the bytes are cut into chunks', async () => {
    const tar = await makeSampleTar({ release: '6.1.0' });
    const archive = await makeSampleArchive({ release: '6.1.0' });
    for (const chunk of [1, 7, 512, 4096, 1_000_000]) {
      expect((await decode(archive, chunk)).equals(tar)).toBe(true);
    }
  });

  it('takes several blocks in one stream, several streams, and padding between and after them', async () => {
    const parts = [Buffer.from('one '), Buffer.alloc(200_000, 'two '), Buffer.from('three')];
    const whole = Buffer.concat(parts);
    expect((await decode(storedXz(parts), 1000)).equals(whole)).toBe(true);
    const padding = Buffer.alloc(8);
    const streams = Buffer.concat(parts.flatMap((part) => [storedXz([part]), padding]));
    expect((await decode(streams, 1000)).equals(whole)).toBe(true);
  });

  it('is not misled by stream magic inside the data, at any chunk border', async () => {
    const data = Buffer.from(`YZ\0\0YZ${'YZ'.repeat(50)}`);
    const archive = storedXz([data, data]);
    for (const chunk of [1, 2, 3, 5, 64])
      expect((await decode(archive, chunk)).equals(Buffer.concat([data, data]))).toBe(true);
  });

  it('stops at the output limit', async () => {
    const error = await rejection(
      decode(await encodeXz(Buffer.alloc(3_000_000)), 512, { outputLimit: 1_000_000 }),
    );
    expect(error).toMatchObject({ code: 'ARCHIVE_LIMIT' });
  });

  it('lets an error of the source through as it is', async () => {
    const lost = new Error('the cable went');
    async function* failing() {
      yield (await makeSampleArchive({ release: '6.1.0', extraHeaders: 50 })).subarray(0, 5000);
      throw lost;
    }
    expect(await rejection(buffer(decodeXz(failing(), { ...options, decoder })))).toBe(lost);
  });

  it('ends with the reason of an abort while it waits for a silent source, and leaves no child behind', async () => {
    const abort = new AbortController();
    const reason = new Error('stop');
    const archive = await makeSampleArchive({ release: '6.1.0', extraHeaders: 50 });
    async function* silent() {
      yield archive.subarray(0, 20_000);
      setTimeout(() => abort.abort(reason), 20);
      await new Promise(() => undefined);
    }
    const error = await rejection(buffer(decodeXz(silent(), { ...options, decoder, signal: abort.signal })));
    expect(error).toBe(reason);
    expect(xzChildren()).toEqual([]);
  });

  it('leaves no child behind when nobody takes the rest of the output', async () => {
    const archive = storedXz([Buffer.alloc(4_000_000, 'headers ')]);
    let taken = 0;
    for await (const output of decodeXz(inChunks(archive), { ...options, decoder })) {
      taken += output.length;
      break;
    }
    expect(taken).toBeGreaterThan(0);
    expect(xzChildren()).toEqual([]);
  });
});

/** Hands over a decodeXz that has looked for nothing yet, to find its xz in these folders. */
async function withPath<T>(path: string, work: (decode: typeof decodeXz) => Promise<T>): Promise<T> {
  const before = process.env['PATH'];
  process.env['PATH'] = path;
  try {
    const results: T[] = [];
    await jest.isolateModulesAsync(async () => {
      const fresh = await import('../../../../src/archive/xz/decode-xz');
      results.push(await work(fresh.decodeXz));
    });
    return results[0]!;
  } finally {
    process.env['PATH'] = before;
  }
}

describe('decodeXz', () => {
  const HELLO = storedXz([Buffer.from('hello')]);

  afterEach(() => {
    delete process.env['KH_XZ'];
  });

  it('takes the decoder that KH_XZ names, and refuses a name that it does not know', async () => {
    const archive = storedXz([Buffer.from('hello')]);
    process.env['KH_XZ'] = 'wasm';
    expect((await buffer(decodeXz(inChunks(archive), options))).toString()).toBe('hello');
    process.env['KH_XZ'] = 'gunzip';
    const error = await rejection(buffer(decodeXz(inChunks(archive), options)));
    expect(error).toMatchObject({ code: 'USAGE', message: expect.stringContaining('gunzip') as string });
  });

  it('says XZ_UNAVAILABLE, and what to install, when the one decoder allowed does not load', async () => {
    await jest.isolateModulesAsync(async () => {
      jest.doMock('lzma-native', () => {
        throw new Error('wrong ELF class');
      });
      const fresh = await import('../../../../src/archive/xz/decode-xz');
      const work = buffer(
        fresh.decodeXz(inChunks(storedXz([Buffer.from('x')])), { ...options, decoder: 'native' }),
      );
      const error = await rejection(work);
      expect(error).toMatchObject({
        code: 'XZ_UNAVAILABLE',
        hint: expect.stringContaining('Install xz') as string,
      });
      jest.dontMock('lzma-native');
    });
  });

  it.each([
    ['does not start', '#!/nowhere/sh\n', /does not run/],
    ['is killed', '#!/bin/sh\nkill -9 $$\n', /was ended by someone else/],
  ])('does not blame the archive where the xz command %s', async (_, script, message) => {
    using folder = scratch();
    writeFileSync(folder.path('xz'), script, { mode: 0o755 });
    const error = await withPath(folder.root, (decode) =>
      rejection(buffer(decode(inChunks(HELLO), { ...options, decoder: 'xz' }))),
    );
    expect(error).toMatchObject({
      code: 'XZ_UNAVAILABLE',
      message: expect.stringMatching(message) as string,
    });
  });

  it('takes no folder called xz for the command', async () => {
    using folder = scratch();
    mkdirSync(folder.path('xz'));
    const decoded = await withPath(folder.root, (decode) => buffer(decode(inChunks(HELLO), options)));
    expect(decoded.toString()).toBe('hello');
  });

  it('goes on to the next decoder where the xz command and lzma-native are missing', async () => {
    const decoded = await withPath('/nowhere', async (decode) => {
      jest.doMock('lzma-native', () => {
        throw new Error('wrong ELF class');
      });
      return buffer(decode(inChunks(HELLO), options)).finally(() => jest.dontMock('lzma-native'));
    });
    expect(decoded.toString()).toBe('hello');
  });
});
