import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { packHeaders, type PackOptions } from '../../../src/app/pack-headers';
import { decodeXz } from '../../../src/archive/xz/decode-xz';
import { ARCHIVE_LIMITS } from '../../../src/core/limits';
import { requireManifest } from '../../../src/app/open-manifest';
import { fakeKernelBuild, type FakeBuildOptions } from '../../support/fake-kernel-build';
import {
  GENERATIONS,
  canMakeReference,
  referenceTar,
  tarListing,
  type Generation,
} from '../../support/reference-pack';
import { tempFolder } from '../../support/temp-folder';
import { cleanUp, newStore } from '../store/rig';

afterEach(cleanUp);

const TIME = 1_767_225_600;
const ALL = Object.keys(GENERATIONS) as Generation[];
const signal = new AbortController().signal;
const DECODING = {
  signal,
  memoryLimit: ARCHIVE_LIMITS.decoderMemoryBytes,
  outputLimit: ARCHIVE_LIMITS.unpackedBytes,
};

async function setUp(options: FakeBuildOptions = {}) {
  const root = await tempFolder();
  const build = await fakeKernelBuild(root, options);
  const output = join(root, 'packed');
  const context = { signal, emit: () => undefined, limits: ARCHIVE_LIMITS, openStore: newStore };
  const pack = (more: Partial<PackOptions> = {}) =>
    packHeaders(build.build, { output, timestamp: `@${TIME}`, force: false, ...more }, context);
  return { ...build, root, output, pack };
}

async function tarOf(path: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  const input = (async function* () {
    yield await readFile(path);
  })();
  for await (const part of decodeXz(input, DECODING)) parts.push(part);
  return Buffer.concat(parts);
}

const md5 = (path: string) => createHash('md5').update(readFileSync(path)).digest('hex');

describe('packing headers', () => {
  const compare = canMakeReference() ? it.each : it.skip.each;

  compare(ALL)(
    'gives for %s the bytes that find, cpio, perl and tar give, of a build with O=',
    async (generation) => {
      const place = await setUp({ script: GENERATIONS[generation].script });
      const { archive } = await place.pack();
      const [ours, theirs] = [await tarOf(archive), await referenceTar(place, generation, TIME)];
      expect(tarListing(ours)).toEqual(tarListing(theirs));
      expect(ours.equals(theirs)).toBe(true);
    },
  );

  compare(ALL)(
    'gives for %s the bytes that find, cpio, perl and tar give, of a build in its source',
    async (generation) => {
      const place = await setUp({ script: GENERATIONS[generation].script, inTree: true });
      const { archive } = await place.pack();
      const [ours, theirs] = [await tarOf(archive), await referenceTar(place, generation, TIME)];
      expect(tarListing(ours)).toEqual(tarListing(theirs));
      expect(ours.equals(theirs)).toBe(true);
    },
  );

  it('compresses as kernels do: one stream, checked by CRC64, and leaves nothing else behind', async () => {
    const { pack, output } = await setUp();
    const { archive, bytes, md5: said } = await pack();
    const packed = readFileSync(archive);
    expect(packed.subarray(0, 8)).toEqual(Buffer.from('fd377a585a000004', 'hex'));
    expect([packed.length, md5(archive)]).toEqual([bytes, said]);
    expect(readdirSync(output).sort()).toEqual(['kheaders.md5', 'kheaders.tar.xz']);
  });

  it('holds the same on all processors as on one, and tells the one archive from the other', async () => {
    const { pack, output } = await setUp();
    const archive = join(output, 'kheaders.tar.xz');
    await pack();
    const alone = await tarOf(archive);
    expect(await pack({ parallel: true })).toMatchObject({ unchanged: false });
    expect((await tarOf(archive)).equals(alone)).toBe(true);
    expect(await pack({ parallel: true })).toMatchObject({ unchanged: true });
    expect(await pack()).toMatchObject({ unchanged: false });
  });

  it.each([
    ['5.2', 3, true],
    ['5.4', 4, true],
    ['6.12', 3, true],
    ['6.17', 1, false],
  ] as const)('writes a kheaders.md5 as %s does: of %s lines', async (generation, lines, holdsArchive) => {
    const { pack } = await setUp({ script: GENERATIONS[generation].script });
    const { digests, archive } = await pack();
    const text = readFileSync(digests, 'utf8').split('\n').slice(0, -1);
    expect(text).toHaveLength(lines);
    expect(text.every((line) => /^[0-9a-f]{32}( {2}-)?$/.test(line))).toBe(true);
    expect(text.at(-1) === md5(archive)).toBe(holdsArchive);
    if (holdsArchive) await expect(requireManifest(digests)).resolves.toMatchObject({ md5: md5(archive) });
    else await expect(requireManifest(digests)).rejects.toThrow(/fingerprint/);
  });

  it.each([
    ['6.1.150', ['headers', 'tree', 'fixed']],
    ['5.10.300', ['headers', 'paths', 'fixed']],
    ['5.10.200', ['headers', 'paths', 'kept']],
    ['6.17.0', ['split', 'tree', 'fixed']],
    ['5.2.1', ['all', 'tree', 'kept']],
  ])('goes by the version where there is no script: %s', async (version, traits) => {
    const { pack } = await setUp({ release: `${version}-fake` });
    const { generator } = await pack();
    expect(generator.from).toBe(`Linux ${version}`);
    expect([generator.selection, generator.order, generator.modes]).toEqual(traits);
  });

  it('goes by the stable kernel that a distribution built, not by the number of its packages', async () => {
    const { build, pack } = await setUp({ release: '6.1.192' });
    const release = '#define UTS_RELEASE "6.1.0-56-arm64"\n';
    writeFileSync(join(build, 'include/generated/utsrelease.h'), release);
    const { generator } = await pack();
    expect(generator).toMatchObject({ from: 'Linux 6.1.192', order: 'tree', modes: 'fixed' });
  });
});

describe('packing headers again', () => {
  const again = async (place: Awaited<ReturnType<typeof setUp>>, more: Partial<PackOptions> = {}) => {
    const before = statSync(join(place.output, 'kheaders.tar.xz'));
    const { unchanged } = await place.pack(more);
    const after = statSync(join(place.output, 'kheaders.tar.xz'));
    expect(unchanged).toBe(before.ino === after.ino);
    return unchanged;
  };

  it.each(ALL)('does nothing for %s where only times changed', async (generation) => {
    const place = await setUp({ script: GENERATIONS[generation].script });
    await place.pack();
    utimesSync(join(place.source, 'include/linux/types.h'), 1, 1);
    expect(await again(place)).toBe(true);
    writeFileSync(join(place.source, 'include/linux/types.h'), 'typedef long t;\n');
    expect(await again(place)).toBe(false);
  });

  const changes: [string, (place: Awaited<ReturnType<typeof setUp>>) => void][] = [
    [
      'a header changed, of the same size and time',
      ({ source }) => {
        const path = join(source, 'include/linux/foo.h');
        const { atime, mtime } = statSync(path);
        writeFileSync(path, '#define FOX\n');
        utimesSync(path, atime, mtime);
      },
    ],
    ['a generated one changed', ({ build }) => writeFileSync(join(build, 'include/generated/compile.h'), '')],
    [
      'one has another name',
      ({ source }) => renameSync(join(source, 'include/linux/foo.h'), join(source, 'include/linux/fox.h')),
    ],
    [
      'a link leads elsewhere',
      ({ source }) => {
        const path = join(source, 'include/dt-bindings/clock/fake,dispcc-2.h');
        rmSync(path);
        symlinkSync('./fake,dispcc-1.h', path);
      },
    ],
    ['the archive is gone', ({ output }) => rmSync(join(output, 'kheaders.tar.xz'))],
    ['the archive is another', ({ output }) => writeFileSync(join(output, 'kheaders.tar.xz'), 'x')],
    ['its digests are gone', ({ output }) => rmSync(join(output, 'kheaders.md5'))],
  ];

  it.each(changes)('packs where %s', async (_, change) => {
    const place = await setUp({ inTree: true });
    await place.pack();
    change(place);
    expect(await place.pack()).toMatchObject({ unchanged: false });
    expect(await place.pack()).toMatchObject({ unchanged: true });
  });

  it('packs where another time or generator is asked for, or all of it by force', async () => {
    const place = await setUp({ script: GENERATIONS['5.15'].script });
    const { archive, md5: first } = await place.pack();
    expect(await place.pack({ timestamp: '@5' })).toMatchObject({ unchanged: false, timestamp: 5 });
    writeFileSync(join(place.source, 'kernel/gen_kheaders.sh'), GENERATIONS['6.12'].script);
    expect(await place.pack({ timestamp: '@5' })).toMatchObject({ unchanged: false });
    writeFileSync(join(place.source, 'kernel/gen_kheaders.sh'), GENERATIONS['5.15'].script);
    await place.pack();
    expect(md5(archive)).toBe(first);
    expect(await place.pack({ force: true })).toMatchObject({ unchanged: false, md5: first });
  });

  it('packs where a mode changed and counts, and does not where it does not', async () => {
    const place = await setUp({ script: GENERATIONS['5.15'].script });
    await place.pack();
    chmodSync(join(place.source, 'include/linux/types.h'), 0o600);
    expect(await again(place)).toBe(false);
    writeFileSync(join(place.source, 'kernel/gen_kheaders.sh'), GENERATIONS['6.12'].script);
    await place.pack();
    chmodSync(join(place.source, 'include/linux/types.h'), 0o644);
    expect(await again(place)).toBe(true);
  });
});

describe('the time of members', () => {
  it.each([
    ['KBUILD_BUILD_TIMESTAMP, as date writes it', { timestamp: 'Thu Jan  1 00:00:07 UTC 2026' }, TIME + 7],
    ['KBUILD_BUILD_TIMESTAMP in seconds', { timestamp: '@12' }, 12],
    ['KBUILD_BUILD_TIMESTAMP before SOURCE_DATE_EPOCH', { timestamp: '@12', epoch: '13' }, 12],
    ['SOURCE_DATE_EPOCH where the other is empty', { timestamp: '', epoch: '13' }, 13],
  ])('is that of %s', async (_, times, expected) => {
    const { pack } = await setUp();
    const { archive, timestamp } = await pack(times);
    expect(timestamp).toBe(expected);
    expect((await tarOf(archive)).toString('latin1', 136, 147)).toBe(expected.toString(8).padStart(11, '0'));
  });

  it('is that of packing where nothing says another', async () => {
    const { pack } = await setUp();
    const earliest = Math.floor(Date.now() / 1000);
    const { archive, ...result } = await pack({ timestamp: undefined });
    const written = Number.parseInt((await tarOf(archive)).toString('latin1', 136, 147), 8);
    expect(written).toBeGreaterThanOrEqual(earliest);
    expect(result).not.toHaveProperty('timestamp');
    expect(await pack({ timestamp: undefined })).toMatchObject({ unchanged: true });
  });

  it.each([
    [-1e12, 0],
    [1e13, 8 ** 11 - 1],
  ])('is one that an archive can hold, where the clock says %d', async (clock, written) => {
    const { pack } = await setUp();
    const now = jest.spyOn(Date, 'now').mockReturnValue(clock);
    const { archive } = await pack({ timestamp: undefined }).finally(() => now.mockRestore());
    const digits = (await tarOf(archive)).toString('latin1', 136, 147);
    expect(Number.parseInt(digits, 8)).toBe(written);
  });

  it.each([{ timestamp: 'soon' }, { timestamp: '@99999999999' }, { timestamp: undefined, epoch: '-1' }])(
    'is refused where it is none: %j',
    async (times) => {
      const { pack } = await setUp();
      await expect(pack(times)).rejects.toMatchObject({ code: 'USAGE' });
    },
  );
});

describe('a kernel build', () => {
  it('is found with its source beside it, when its Makefile names a place that is not here', async () => {
    const { root, build, source, pack } = await setUp();
    rmSync(join(build, 'source'));
    writeFileSync(join(build, 'Makefile'), `include /usr/src/elsewhere/${basename(source)}/Makefile\n`);
    expect(await pack()).toMatchObject({ source: join(root, 'linux') });
    writeFileSync(join(build, 'Makefile'), 'MAKEARGS := -C ../linux\n');
    expect(await pack()).toMatchObject({ source: join(root, 'linux') });
  });

  it('is found with its source where its folders of headers lead to', async () => {
    const { root, build, source, pack } = await setUp();
    rmSync(join(build, 'source'));
    rmSync(join(build, 'Makefile'));
    rmSync(join(build, 'include/linux'), { recursive: true });
    symlinkSync(join(source, 'include/linux'), join(build, 'include/linux'));
    expect(await pack()).toMatchObject({ source: join(root, 'linux') });
  });

  it('is refused without its source, unless that is named', async () => {
    const { root, build, source, pack } = await setUp();
    rmSync(join(build, 'source'));
    rmSync(join(build, 'Makefile'));
    await expect(pack()).rejects.toMatchObject({ code: 'BUILD_BAD_SOURCE' });
    await expect(pack({ source: root })).rejects.toMatchObject({ code: 'BUILD_BAD_SOURCE' });
    expect(await pack({ source })).toMatchObject({ source });
  });

  it('is for the processor that it has generated headers of; of several, the configured one', async () => {
    const { build, pack } = await setUp();
    expect(await pack()).toMatchObject({ arch: 'arm64', entries: expect.any(Number) as number });
    mkdirSync(join(build, 'arch/x86/include/generated'), { recursive: true });
    expect(await pack()).toMatchObject({ arch: 'arm64' });
    expect(await pack({ arch: 'x86' })).toMatchObject({ arch: 'x86' });
    await expect(pack({ arch: 'mips' })).rejects.toMatchObject({ code: 'USAGE' });
    rmSync(join(build, 'arch'), { recursive: true });
    await expect(pack()).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('is not packed as one for a processor that it was not built for, nor by an odd name of its own', async () => {
    const { pack } = await setUp();
    await expect(pack({ arch: 'x86' })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/not built for x86: generated headers are there of arm64/) as string,
    });
    for (const arch of ['./arm64', 'arm64/', '../arch/arm64', ''])
      await expect(pack({ arch })).rejects.toMatchObject({ code: 'USAGE' });
    expect(await pack({ arch: 'arm64' })).toMatchObject({ arch: 'arm64' });
  });

  it('that was interrupted is refused with what to do there, not on a device', async () => {
    const { build, pack } = await setUp();
    writeFileSync(join(build, 'include/generated/utsrelease.h'), '');
    await expect(pack()).rejects.toMatchObject({
      code: 'BUILD_BAD_HEADERS',
      hint: expect.stringContaining('make modules_prepare') as string,
    });
  });

  it('is refused, with the path, where what goes beside the headers cannot be read', async () => {
    const { source, build, pack } = await setUp();
    rmSync(join(build, '.config'));
    symlinkSync('.config', join(build, '.config'));
    const refusal = (name: string) => ({
      code: 'USAGE',
      message: expect.stringMatching(`^the kernel build cannot be read: ELOOP.*/${name}'`) as string,
    });
    await expect(pack({ full: true })).rejects.toMatchObject(refusal('.config'));
    rmSync(join(build, '.config'));
    symlinkSync('scripts', join(source, 'scripts'));
    await expect(pack({ full: true })).rejects.toMatchObject(refusal('scripts'));
  });

  it('is refused where nothing was built', async () => {
    const { build, pack } = await setUp();
    rmSync(join(build, 'include/generated/utsrelease.h'));
    await expect(pack()).rejects.toThrow(/no kernel build, or none that was prepared/);
  });
});

describe('packing for a manifest', () => {
  it('makes the entry of the release, and keeps those of others', async () => {
    const { root, pack } = await setUp();
    const manifest = join(root, 'lab.json');
    const { md5: first, sha256, bytes } = await pack({ manifest, note: 'of the nightly build' });
    const listed = { release: '6.12.3-fake', md5: first, sha256, bytes, note: 'of the nightly build' };
    expect(await requireManifest(manifest)).toMatchObject({ kernels: [listed] });
    const other = await pack({ manifest, timestamp: '@1' });
    expect(await requireManifest(manifest)).toMatchObject({ kernels: [{ md5: other.md5 }] });
  });

  it('leaves a manifest alone where the entry would make it one that no kh reads', async () => {
    const { root, build, pack } = await setUp();
    const manifest = join(root, 'lab.json');
    await pack({ manifest });
    const before = readFileSync(manifest, 'utf8');
    const release = join(build, 'include/generated/utsrelease.h');
    writeFileSync(release, `#define UTS_RELEASE "6.12.3-${'x'.repeat(64)}"\n`);
    await expect(pack({ manifest })).rejects.toMatchObject({
      code: 'MANIFEST_UNUSABLE',
      message: expect.stringContaining('is left as it was; after this change') as string,
    });
    expect(readFileSync(manifest, 'utf8')).toBe(before);
  });

  it('leaves a manifest alone that says the same already, as it may be signed', async () => {
    const { root, pack } = await setUp();
    const manifest = join(root, 'lab.json');
    await pack({ manifest });
    const { ino } = statSync(manifest);
    await pack({ manifest, force: true });
    expect(statSync(manifest).ino).toBe(ino);
    await pack({ manifest, note: 'why' });
    expect(await requireManifest(manifest)).toMatchObject({ kernels: [{ note: 'why' }] });
  });
});
