import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { storedXz } from '../../../../fixtures/archives/stored-xz';
import { END_OF_ARCHIVE, gnuLong, paxHeader, rawMember } from '../../../../fixtures/archives/tar-blocks';
import { makeSampleTar } from '../../../../src/archive/sample-archive';
import { gnuHeader } from '../../../../src/archive/tar/gnu-header';
import { extractTar, type ExtractOptions } from '../../../../src/archive/tar/extract-tar';
import { unpackChunks } from '../../../../src/archive/unpack-archive';
import { KhError } from '../../../../src/core/errors';
import { tars } from '../../../support/fuzz/arbitraries';
import { inChunks, limits, listing, never, rejection, scratch } from '../support/scratch';

jest.setTimeout(60_000); // Hundreds of trees are made and removed.

const text = Buffer.from('#define X 1\n');

/** Extracts a tar into a scratch folder; gives what came of it and what is in the folder. */
async function extract(
  tar: Buffer,
  { chunk = 10_000, ...more }: Partial<ExtractOptions> & { chunk?: number } = {},
) {
  using place = scratch();
  const tree = await extractTar(inChunks(tar, chunk), {
    treePath: place.tree,
    limits,
    signal: never,
    ...more,
  });
  return { tree, names: listing(place.tree) };
}

const tarOf = (...members: Buffer[]) => Buffer.concat([...members, END_OF_ARCHIVE]);

describe('extractTar', () => {
  it('makes what GNU tar makes of the same archive: contents, modes and link targets', async () => {
    using place = scratch();
    const tar = await makeSampleTar({ release: '6.1.0', extraHeaders: 20 });
    writeFileSync(place.path('a.tar'), tar);
    mkdirSync(place.path('reference'));
    execFileSync('tar', ['-xpf', place.path('a.tar'), '-C', place.path('reference')]);
    const { names, tree } = await extract(tar);
    expect(names).toEqual(listing(place.path('reference')));
    expect(tree.files + tree.directories + tree.links).toBe(names.size + 1);
    expect(tree).toMatchObject({
      entries: names.size + 1,
      links: 2,
      tarBytes: tar.length,
      danglingLinks: [],
    });
  });

  it('makes the same tree however the stream is cut into chunks', async () => {
    const tar = await makeSampleTar({ release: '6.1.0' });
    const { names } = await extract(tar);
    for (const chunk of [100, 511, 512, 513, 1024, 65_536])
      expect((await extract(tar, { chunk })).names).toEqual(names);
  });

  it('takes long names as pax and GNU tar write them', async () => {
    const long = `${'folder/'.repeat(15)}${'x'.repeat(90)}.h`;
    const member = rawMember({ name: './cut-off', content: text });
    const { names } = await extract(
      tarOf(
        gnuLong('L', `./gnu/${long}`),
        member,
        paxHeader({ path: `./pax/${long}`, mtime: '1.5' }),
        member,
        paxHeader({ comment: 'for all' }, 'g'),
        rawMember({ name: './plain.h', content: text }),
      ),
    );
    expect(names.has(`gnu/${long}`)).toBe(true);
    expect(names.has(`pax/${long}`)).toBe(true);
    expect(names.get('plain.h')).toBe(`file 644 ${text.toString('base64')}`);
    expect(names.has('cut-off')).toBe(false);
  });

  it('makes folders that have no member of their own, and accepts that member later, once', async () => {
    const file = rawMember({ name: './a/b/c.h', content: text });
    const folder = rawMember({ name: './a/', type: '5' });
    const { names, tree } = await extract(tarOf(file, folder));
    expect([...names.keys()]).toEqual(['a', 'a/b', 'a/b/c.h']);
    expect(tree).toMatchObject({ directories: 3, files: 1 });
    expect(await rejection(extract(tarOf(file, folder, folder)))).toMatchObject({ code: 'ARCHIVE_UNSAFE' });
  });

  it('gives no file the modes, owners or set-user-id bits that a header asks for', async () => {
    const member = rawMember({ name: './tool', content: text });
    member.write('0006777\0', 100);
    member.write('        ', 148);
    const sum = member.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    member.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const { names } = await extract(tarOf(member));
    expect(names.get('tool')).toMatch(/^file 644 /);
  });

  it('lets only the build files of a kernel, known by their first member, have programs', async () => {
    const member = (name: string, mode: number) => gnuHeader({ name, kind: 'file', mode, size: 0, mtime: 0 });
    const modes = async (...members: Buffer[]) => (await extract(tarOf(...members))).names.get('tool');
    const record = member('./kernel-build.json', 0o644);
    expect(await modes(record, member('./tool', 0o4777))).toMatch(/^file 755 /);
    expect(await modes(record, member('./tool', 0o644))).toMatch(/^file 644 /);
    expect(await modes(member('./first', 0o644), record, member('./tool', 0o755))).toMatch(/^file 644 /);
  });

  it('reports links that lead nowhere or in circles, and makes them all the same', async () => {
    const link = (name: string, linkname: string) => rawMember({ name, type: '2', linkname });
    const { tree, names } = await extract(
      tarOf(
        link('./gone', 'nowhere.h'),
        link('./round', 'about'),
        link('./about', 'round'),
        link('./fine', '.'),
      ),
    );
    expect(tree.danglingLinks).toEqual(['gone', 'round', 'about']);
    expect(names.get('gone')).toBe('link nowhere.h');
  });

  it('keeps names that differ by case where the disk does', async () => {
    const { names } = await extract(
      tarOf(rawMember({ name: 'xt_mark.h', content: text }), rawMember({ name: 'xt_MARK.h', content: text })),
    );
    expect([...names.keys()].sort()).toEqual(['xt_MARK.h', 'xt_mark.h']);
  });

  it('stops between two chunks when it is told to', async () => {
    using place = scratch();
    const abort = new AbortController();
    const tar = await makeSampleTar({ release: '6.1.0' });
    async function* source() {
      yield tar.subarray(0, 20_000);
      abort.abort(new KhError('INTERRUPTED', { message: 'interrupted' }));
      yield tar.subarray(20_000);
    }
    const work = extractTar(source(), { treePath: place.tree, limits, signal: abort.signal });
    expect(await rejection(work)).toMatchObject({ code: 'INTERRUPTED' });
  });

  it('fails as STORE_IO when the folder is not there', async () => {
    using place = scratch();
    const work = extractTar(inChunks(tarOf()), { treePath: `${place.tree}/missing`, limits, signal: never });
    expect(await rejection(work)).toMatchObject({ code: 'STORE_IO' });
  });
});

describe('a damaged archive', () => {
  const whole = async () => {
    const tar = await makeSampleTar({ release: '6.1.0', extraHeaders: 2 });
    return { tar, names: (await extract(tar)).names };
  };

  /** Unpacks; gives the tree when it passes, and the error when it does not, and fails if anything else changed. */
  async function outcome(
    bytes: Buffer,
    unpack: (place: { tree: string }, chunks: AsyncIterable<Buffer>) => Promise<unknown>,
  ) {
    using place = scratch();
    writeFileSync(place.path('canary'), 'untouched');
    const result = await unpack(place, inChunks(bytes, 3000)).then(
      () => listing(place.tree),
      (error: unknown) => error,
    );
    const outside = [...listing(place.root).keys()].filter((name) => !name.startsWith('stage/tree/'));
    expect(outside).toEqual(['canary', 'stage', 'stage/tree']);
    return result;
  }

  it('never passes when its tar data was cut anywhere before the end marker', async () => {
    const { tar } = await whole();
    const members = tar.length - END_OF_ARCHIVE.length;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: members }), async (length) => {
        const result = await outcome(tar.subarray(0, length), ({ tree }, chunks) =>
          extractTar(chunks, { treePath: tree, limits, signal: never }),
        );
        expect(result).toMatchObject({ code: 'ARCHIVE_TRUNCATED' });
      }),
      { numRuns: 40 },
    );
  });

  it('never passes as another tree when bytes of the xz file were changed, whichever decoder reads it', async () => {
    const { tar, names } = await whole();
    const archive = storedXz([tar.subarray(0, 10_000), tar.subarray(10_000)]);
    const decoders = fc.constantFrom('native' as const, 'wasm' as const);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(archive.length - 1),
        fc.integer({ min: 1, max: 255 }),
        decoders,
        async (at, bits, decoder) => {
          const changed = Buffer.from(archive);
          changed.writeUInt8(changed.readUInt8(at) ^ bits, at);
          const result = await outcome(changed, ({ tree }, chunks) =>
            unpackChunks(chunks, { treePath: tree, limits, signal: never, decoder }),
          );
          if (result instanceof Map) expect(result).toEqual(names);
          else expect((result as KhError).code).toMatch(/^ARCHIVE_/);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('never passes when the xz file was cut short', async () => {
    const { tar } = await whole();
    const archive = storedXz([tar]);
    const decoders = fc.constantFrom('native' as const, 'wasm' as const);
    await fc.assert(
      fc.asyncProperty(fc.nat(archive.length - 1), decoders, async (length, decoder) => {
        const result = await outcome(archive.subarray(0, length), ({ tree }, chunks) =>
          unpackChunks(chunks, { treePath: tree, limits, signal: never, decoder }),
        );
        expect(result).toMatchObject({ code: 'ARCHIVE_TRUNCATED' });
      }),
      { numRuns: 40 },
    );
  });

  it('writes nothing outside, and ends, whatever its headers say', async () => {
    await fc.assert(
      fc.asyncProperty(tars, async (tar) => {
        const result = await outcome(tar, ({ tree }, chunks) =>
          extractTar(chunks, { treePath: tree, limits, signal: never }),
        );
        if (!(result instanceof Map)) expect((result as KhError).code).toMatch(/^ARCHIVE_/);
      }),
      { numRuns: 200 },
    );
  });
});
