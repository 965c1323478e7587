import fc from 'fast-check';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { kernelWithHeaders, SAMPLE_CONFIG, VERSION } from '../../../fixtures/images/kernel-with-headers';
import { lz4Frame, lz4Legacy } from '../../../fixtures/images/lz4-encode';
import { arm64Image, bootImage, bzImage, vmlinux, zboot } from '../../../fixtures/images/make-images';
import { sparseImage } from '../../../fixtures/images/sparse-encode';
import { carve, type CarveOptions, type CarvedImage } from '../../../src/app/carve';
import { makeSampleArchive } from '../../../src/archive/sample-archive';
import { encodeXz } from '../../../src/archive/xz/encode-xz';
import type { KhEvent } from '../../../src/core/events';
import { ARCHIVE_LIMITS } from '../../../src/core/limits';
import { buildElf } from '../kbuild/elf/build-elf';
import { failureOf } from '../kbuild/image/failure';

const RELEASE = '6.1.75-android14';
const { signal } = new AbortController();

let folder: string;
let archive: Buffer;
let kernel: Buffer;
let image: Buffer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kh-carve-'));
  archive = await makeSampleArchive({ release: RELEASE, extraHeaders: 5 });
  kernel = kernelWithHeaders({ archive, config: SAMPLE_CONFIG, release: RELEASE });
  image = arm64Image(kernel);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const events: KhEvent[] = [];
const context = { signal, emit: (event: KhEvent) => void events.push(event), limits: ARCHIVE_LIMITS };
const file = (bytes: Buffer, name = 'image') => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const look = (bytes: Buffer, options: CarveOptions = {}): Promise<CarvedImage> =>
  carve(file(bytes), options, context);
const pack = (command: string, bytes: Buffer) =>
  spawnSync(command, ['-c', ...(command === 'zstd' ? ['-q'] : [])], { input: bytes, maxBuffer: 1 << 26 })
    .stdout;

/** The archive that a carve writes. */
async function carved(bytes: Buffer, options: CarveOptions = {}): Promise<Buffer> {
  const output = join(folder, 'kheaders.tar.xz');
  rmSync(output, { force: true });
  await look(bytes, { ...options, output });
  return readFileSync(output);
}

const headersModule = () =>
  buildElf({
    sections: [{ name: '.text' }, { name: '.rodata', data: Buffer.concat([Buffer.from('odd'), archive]) }],
    symbols: [
      { name: 'kernel_headers_data', section: '.rodata', value: 3, bind: 1 },
      { name: 'kernel_headers_data_end', section: '.rodata', value: 3 + archive.length, bind: 1 },
    ],
  });
/** A vmlinux with its symbols: the Image begins some pages into the file, as the linker places it. */
function vmlinuxWithSymbols(inner = image): Buffer {
  const at = inner.indexOf(archive.subarray(6));
  const build = (padding: number) =>
    buildElf({
      sections: [
        { name: '.padding', data: Buffer.alloc(padding) },
        { name: '.text', data: inner },
      ],
      symbols: [
        { name: 'kernel_headers_data', section: '.text', value: at - 6, bind: 1 },
        { name: 'kernel_headers_data_end', section: '.text', value: at - 6 + archive.length, bind: 1 },
      ],
    });
  return build(4096 - (build(4096).indexOf(inner) % 4096) + 4096);
}
const noise = (length: number) =>
  Buffer.from(Array.from({ length }, (_, n) => Math.imul(n, n * 7 + 1_664_525) >>> 11));
const padded = (bytes: Buffer, size = 4096) =>
  Buffer.concat([bytes, Buffer.alloc(-bytes.length & (size - 1))]);

const FORMS: [name: string, make: () => Buffer, within: string[]][] = [
  ['an Image', () => image, ['arm64']],
  ['an Image.gz', () => gzipSync(image), ['gzip', 'arm64']],
  [
    'an Image.gz with a device tree behind',
    () => Buffer.concat([gzipSync(image), noise(999)]),
    ['gzip', 'arm64'],
  ],
  ['an Image.lz4', () => lz4Legacy(image), ['lz4-legacy', 'arm64']],
  ['an Image in an LZ4 frame', () => lz4Frame(image), ['lz4-frame', 'arm64']],
  ['a vmlinuz.efi', () => zboot(gzipSync(image), 'gzip'), ['zboot', 'gzip', 'arm64']],
  ['a vmlinux', () => vmlinux(kernel), ['elf']],
  ['an arm64 vmlinux with its symbols', () => vmlinuxWithSymbols(), ['elf', 'arm64']],
  ['a bzImage', () => bzImage(gzipSync(vmlinux(kernel)), { sized: false }), ['bzImage', 'gzip', 'elf']],
  ...[0, 1, 2, 3, 4].map((version): [string, () => Buffer, string[]] => [
    `a boot image v${version}`,
    () => bootImage(version, version % 2 === 0 ? gzipSync(image) : image),
    ['boot', ...(version % 2 === 0 ? ['gzip'] : []), 'arm64'],
  ]),
  ['kheaders.ko', headersModule, ['elf']],
  ['kheaders.ko.gz', () => gzipSync(headersModule()), ['gzip', 'elf']],
  ['kheaders.ko.xz', () => pack('xz', headersModule()), ['xz', 'elf']],
  ['kheaders.ko.zst', () => pack('zstd', headersModule()), ['zstd', 'elf']],
  ['the archive itself', () => archive, []],
  ['a dump with the kernel in it', () => Buffer.concat([noise(8192), image, noise(70_001)]), ['arm64']],
  [
    'a dump with a boot image in it',
    () => Buffer.concat([noise(4096), bootImage(4, gzipSync(image))]),
    ['boot', 'gzip', 'arm64'],
  ],
  ...(
    [
      ['an Image.gz', () => gzipSync(image), ['gzip', 'arm64']],
      ['an Image.lz4', () => lz4Legacy(image), ['lz4-legacy', 'arm64']],
      ['an Image in an LZ4 frame', () => lz4Frame(image), ['lz4-frame', 'arm64']],
      ['a vmlinuz.efi', () => zboot(gzipSync(image), 'gzip'), ['zboot', 'gzip', 'arm64']],
      ['a bzImage', () => bzImage(gzipSync(vmlinux(kernel)), { sized: false }), ['bzImage', 'gzip', 'elf']],
    ] as [string, () => Buffer, string[]][]
  ).map(([name, make, within]): [string, () => Buffer, string[]] => [
    `a dump with ${name} at an odd place in it`,
    () => Buffer.concat([noise(5001), make(), noise(9000)]),
    within,
  ]),
  ['a dump with kheaders.ko in it', () => Buffer.concat([noise(5000), headersModule()]), []],
  [
    'a sparse image',
    () => sparseImage([padded(noise(3000)), { skip: 3 }, padded(image), { fill: 7, blocks: 1 }]),
    ['sparse', 'arm64'],
  ],
];

describe('carve', () => {
  it.each(FORMS)('takes the archive out of %s, byte by byte', async (_, make, within) => {
    const bytes = make();
    expect((await carved(bytes)).equals(archive)).toBe(true);
    const { kernels, damaged } = await look(bytes);
    expect(damaged).toEqual([]);
    expect(kernels.map((one) => [one.release, one.within])).toEqual([[RELEASE, within]]);
  });

  it('tells which kernel it is of, with its configuration and its symbols', async () => {
    const [found] = (await look(bootImage(4, gzipSync(image)))).kernels;
    expect(found).toMatchObject({
      index: 1,
      release: RELEASE,
      version: VERSION,
      headers: { bytes: archive.length, offset: image.indexOf(archive), foundBy: 'scan' },
      config: { bytes: SAMPLE_CONFIG.length },
      symvers: { symbols: 12, crcs: 11 },
    });
  });

  it('knows the markers of early kernels, and the symbols of a module and of a vmlinux', async () => {
    const early = kernelWithHeaders({ archive, release: RELEASE, markers: true });
    for (const bytes of [early, arm64Image(early), vmlinux(early)]) {
      expect((await look(bytes)).kernels[0]?.headers?.foundBy).toBe('markers');
      expect((await carved(bytes)).equals(archive)).toBe(true);
    }
    for (const bytes of [headersModule(), vmlinuxWithSymbols()]) {
      expect((await look(bytes)).kernels[0]?.headers?.foundBy).toBe('symbols');
    }
  });

  it('gives an offset in the image where nothing is packed', async () => {
    const dump = Buffer.concat([noise(8192), bootImage(3, image), headersModule()]);
    const offsets = (await look(dump)).kernels.map(({ headers }) => headers?.offset ?? 0);
    expect(offsets).toEqual([dump.indexOf(archive), dump.lastIndexOf(archive)]);
  });

  it('warns of a kernel that calls itself otherwise than its headers do', async () => {
    const { kernels } = await look(arm64Image(kernelWithHeaders({ archive, release: '6.1.75-renamed' })));
    expect(kernels).toMatchObject([{ release: RELEASE }]);
    expect(kernels[0]?.version).toBeUndefined();
    const message = expect.stringContaining('calls itself 6.1.75-renamed') as string;
    expect(events).toContainEqual({ type: 'warning', message });
  });

  it('does not take a configuration for that of another kernel', async () => {
    const config = SAMPLE_CONFIG.replace('CONFIG_HZ=250', 'CONFIG_HZ=100');
    const { kernels } = await look(arm64Image(kernelWithHeaders({ archive, config, release: RELEASE })));
    expect(kernels.map(({ headers, config: own }) => [headers !== undefined, own !== undefined])).toEqual([
      [true, false],
      [false, true],
    ]);
  });
});

describe('carve with several kernels in one image', () => {
  let both: Buffer;
  let other: Buffer;
  beforeAll(async () => {
    other = await makeSampleArchive({ release: '6.6.30-android15' });
    const second = arm64Image(kernelWithHeaders({ archive: other, release: '6.6.30-android15' }));
    both = Buffer.concat([padded(bootImage(4, gzipSync(image))), padded(second)]);
  });

  it('lists them, and writes that which is named', async () => {
    const { kernels } = await look(both);
    expect(kernels.map(({ index, release }) => [index, release])).toEqual([
      [1, RELEASE],
      [2, '6.6.30-android15'],
    ]);
    expect((await carved(both, { index: 2 })).equals(other)).toBe(true);
  });

  it('does not choose, and writes nothing', async () => {
    const output = join(folder, 'none');
    const error = await failureOf(() => look(both, { output }));
    expect(error).toMatchObject({ code: 'USAGE', message: expect.stringContaining('1: 6.1.75') as string });
    expect(existsSync(output)).toBe(false);
    expect(await failureOf(() => look(both, { index: 3 }))).toMatchObject({ code: 'USAGE' });
  });

  it('writes all into a folder, by release', async () => {
    const output = join(folder, 'all/');
    const { written } = await look(both, { output });
    expect(readdirSync(output).sort()).toEqual(
      [
        `Module.symvers-${RELEASE}`,
        'Module.symvers-6.6.30-android15',
        `config-${RELEASE}`,
        `kheaders-${RELEASE}.tar.xz`,
        'kheaders-6.6.30-android15.tar.xz',
      ].sort(),
    );
    expect(written).toHaveLength(5);
    expect(readFileSync(join(output, `config-${RELEASE}`), 'utf8')).toBe(SAMPLE_CONFIG);
  });

  it('gives each its own name, whatever releases they claim, and none that is too long', async () => {
    const releases = ['6.1-3', '6.1', '6.1'];
    const parts = await Promise.all(
      releases.map(async (release, extraHeaders) => {
        const each = await makeSampleArchive({ release, extraHeaders });
        return padded(arm64Image(kernelWithHeaders({ archive: each, release })));
      }),
    );
    const claim = `# Linux/arm64 ${'9'.repeat(400)} Kernel Configuration\nCONFIG_ARM64=y\n`;
    const config = Buffer.concat([Buffer.from('IKCFG_ST'), gzipSync(claim), Buffer.from('IKCFG_ED')]);
    const output = join(folder, 'alike/');
    const { written } = await look(Buffer.concat([...parts, config]), { output });
    const headers = written.filter(({ what }) => what === 'headers');
    expect(new Set(headers.map(({ path }) => path)).size).toBe(3);
    expect(readdirSync(output)).toHaveLength(written.length);
    expect(readdirSync(output)).toContain(`config-${'9'.repeat(64)}`);
  });

  it('takes the same archive in two slots for one', async () => {
    const slots = Buffer.concat([padded(bootImage(4, gzipSync(image))), padded(bootImage(4, image))]);
    expect((await carved(slots)).equals(archive)).toBe(true);
    const output = join(folder, 'slots');
    mkdirSync(output);
    await look(slots, { output, what: 'headers' });
    expect(readdirSync(output).sort()).toEqual([
      `kheaders-${RELEASE}-2.tar.xz`,
      `kheaders-${RELEASE}.tar.xz`,
    ]);
  });
});

describe('carve into a file', () => {
  it('does not replace the image, by whatever name, nor a pipe', async () => {
    const path = file(image, 'only-one');
    const link = join(folder, 'link-to-it');
    symlinkSync(path, link);
    for (const output of [path, link]) {
      const error = await failureOf(() => carve(path, { output }, context));
      expect(error).toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining('image itself') as string,
      });
    }
    expect(readFileSync(path).equals(image)).toBe(true);
    const output = join(folder, 'pipe');
    expect(spawnSync('mkfifo', [output]).status).toBe(0);
    expect(await failureOf(() => look(image, { output }))).toMatchObject({
      code: 'USAGE',
      message: `${output} is a pipe, and is not replaced by a file`,
    });
    expect(statSync(output).isFIFO()).toBe(true);
  });
});

describe('carve where there is none', () => {
  it.each([
    [
      'is configured with a module',
      'CONFIG_IKHEADERS=m\n',
      /^It was built with CONFIG_IKHEADERS=m: carve kheaders\.ko,/,
    ],
    [
      'is configured without',
      '',
      /^It was built without CONFIG_IKHEADERS: no image of it has them\. `kh pack`/,
    ],
    ['should have them', 'CONFIG_IKHEADERS=y\n', /the image is cut off, or was changed/],
  ])('says of a kernel that %s where its headers are, and what is here', async (_, option, hint) => {
    const config = SAMPLE_CONFIG.replace('CONFIG_IKHEADERS=y\n', option);
    const bytes = gzipSync(arm64Image(kernelWithHeaders({ config, release: RELEASE })));
    const error = await failureOf(() => look(bytes));
    expect(error).toMatchObject({
      code: 'HEADERS_ABSENT',
      message: expect.stringContaining(RELEASE) as string,
    });
    expect(error.hint).toMatch(hint);
    expect(error.hint).toContain('`kh carve --what config`');
    expect(error.hint).toContain('`kh carve --what symvers`');
    const written = await look(bytes, { what: 'config', output: join(folder, 'config') });
    expect(written.written).toMatchObject([{ what: 'config', bytes: config.length }]);
  });

  it('says of a kernel without a configuration both places where its headers may be', async () => {
    const { hint } = await failureOf(() => look(arm64Image(kernelWithHeaders({ release: RELEASE }))));
    expect(hint).toMatch(/^Carve kheaders\.ko, .* Where there is none, the kernel was built without/);
    expect(hint).toContain('`kh carve --what symvers`');
    expect(hint).not.toContain('--what config');
  });

  it('is not misled by other xz streams, by the magic alone, or by text that speaks of markers', async () => {
    const decoys = Buffer.concat([
      noise(100),
      Buffer.from('fd377a585a00', 'hex'),
      await encodeXz(Buffer.from(`070701${'0'.repeat(300)}`)),
      Buffer.from('IKHD_ST and IKHD_ED; IKCFG_ST'),
      (await encodeXz(Buffer.alloc(50_000))).subarray(0, 60),
      Buffer.from('Linux version 1'),
    ]);
    const error = await failureOf(() => look(decoys));
    expect(error).toMatchObject({ code: 'HEADERS_ABSENT', details: { otherStreams: 2 } });
  });

  it.each([
    ['erofs', 1024, 'e2e1f5e0'],
    ['ext4', 0x438, '53ef'],
  ])('says of %s that files in pieces are not found', async (name, at, magic) => {
    const bytes = noise(100_000);
    Buffer.from(magic, 'hex').copy(bytes, at);
    const error = await failureOf(() => look(bytes));
    expect(error).toMatchObject({ code: 'HEADERS_ABSENT', message: expect.stringContaining(name) as string });
    expect(error.hint).toContain('in one piece');
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(3 << 20)],
    ['noise', noise(5000)],
  ])('says so of %s', async (_, bytes) => {
    expect(await failureOf(() => look(bytes))).toMatchObject({ code: 'HEADERS_ABSENT' });
  });
});

it('tells how far it is in a large image, and nothing of a small one', async () => {
  events.length = 0;
  await look(archive);
  expect(events).toEqual([]);
  const path = file(archive, 'large');
  const totalBytes = 200 << 20;
  truncateSync(path, totalBytes);
  await carve(path, {}, context);
  const told = events.map((event) => (event.type === 'image.searching' ? event.bytes : event.type));
  expect(told.at(-1)).toBe('image.searched');
  const places = told.slice(0, -1) as number[];
  expect(places.length).toBeGreaterThan(5);
  expect(places).toEqual([...places].sort((one, other) => one - other));
  expect(events[1]).toMatchObject({ serial: 'large', totalBytes });
});

describe('carve of what was made to keep a reader busy', () => {
  it('gives up looking for packed kernels where everything looks like one, says so, and finds the rest', async () => {
    events.length = 0;
    const gzipHeader = Buffer.from('1f8b0800000000000003', 'hex');
    const bytes = Buffer.concat([noise(100), Buffer.alloc(350_000, gzipHeader), headersModule()]);
    expect((await carved(bytes)).equals(archive)).toBe(true);
    const message = expect.stringContaining('only what is not packed is looked for') as string;
    expect(events).toContainEqual({ type: 'warning', message });
  });

  it('ends where too many xz headers lead nowhere', async () => {
    const bytes = Buffer.alloc(700_000, (await encodeXz(Buffer.alloc(9))).subarray(0, 12));
    expect((await failureOf(() => look(bytes))).code).toBe('ARCHIVE_LIMIT');
    events.length = 0;
    expect((await carved(Buffer.concat([headersModule(), bytes]))).equals(archive)).toBe(true);
    const message = expect.stringContaining('there may be more') as string;
    expect(events).toContainEqual({ type: 'warning', message });
  });

  it('says of a packed kernel in a dump that it is cut off', async () => {
    const bytes = Buffer.concat([noise(5001), gzipSync(image).subarray(0, -900)]);
    const error = await failureOf(() => look(bytes, { what: 'config' }));
    expect(error).toMatchObject({
      code: 'ARCHIVE_CORRUPT',
      message: expect.stringContaining('at byte 5001 is packed as gzip') as string,
    });
  });
});

describe('carve where the archive is damaged', () => {
  const at = () => image.indexOf(archive);

  it('says that it is cut off, and where', async () => {
    const error = await failureOf(() => look(image.subarray(0, at() + 2000)));
    expect(error).toMatchObject({
      code: 'ARCHIVE_TRUNCATED',
      message: expect.stringContaining(`byte ${at()}`) as string,
    });
  });

  it.each([
    ['in its middle', 0.5],
    ['in its checksum', 0.999],
  ])('says that it is damaged %s', async (_, part) => {
    const bytes = Buffer.from(image);
    const place = at() + Math.floor(archive.length * part);
    bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
    expect((await failureOf(() => look(bytes))).code).toBe('ARCHIVE_CORRUPT');
  });

  it('says so where symbols or markers tell of one whose beginning is spoilt', async () => {
    const early = kernelWithHeaders({ archive, release: RELEASE, markers: true });
    for (const bytes of [headersModule(), vmlinuxWithSymbols(), early]) {
      bytes.fill(0, bytes.indexOf(archive), bytes.indexOf(archive) + 4);
      expect((await failureOf(() => look(bytes))).code).toBe('ARCHIVE_CORRUPT');
    }
  });

  it('gives the sound one, and warns of the other', async () => {
    const bytes = Buffer.concat([headersModule(), archive.subarray(0, 2000)]);
    expect((await carved(bytes)).equals(archive)).toBe(true);
    expect((await look(bytes)).damaged).toEqual([expect.stringContaining('cut off')]);
    expect(events).toContainEqual({ type: 'warning', message: expect.stringContaining('cut off') as string });
  });

  it('says that a sparse image is cut off', async () => {
    const error = await failureOf(() => look(sparseImage([padded(image)]).subarray(0, -500)));
    expect(error).toMatchObject({
      code: 'ARCHIVE_CORRUPT',
      message: expect.stringContaining('cut off') as string,
    });
  });

  it('says that a packed image is cut off', async () => {
    const error = await failureOf(() => look(gzipSync(image).subarray(0, -500)));
    expect(error).toMatchObject({
      code: 'ARCHIVE_CORRUPT',
      message: expect.stringContaining('cut off') as string,
    });
  });
});

it('finds or refuses, and never fails otherwise, whatever is changed in an image', async () => {
  const forms = [
    headersModule(),
    bootImage(4, gzipSync(image)),
    arm64Image(kernel),
    sparseImage([padded(image)]),
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.nat(forms.length - 1),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.uint8Array({ minLength: 1, maxLength: 12 }),
      fc.boolean(),
      async (form, place, change, cut) => {
        const bytes = Buffer.from(forms[form]!);
        const offset = Math.floor(place * (bytes.length - 1));
        Buffer.from(change).copy(bytes, offset);
        const result = await carve(
          file(cut ? bytes.subarray(0, offset) : bytes, 'changed'),
          {},
          context,
        ).catch((error: unknown) => error);
        if (result instanceof Error)
          expect(result).toMatchObject({
            code: expect.stringMatching(/^(ARCHIVE|HEADERS)/) as string,
          });
        else expect((result as CarvedImage).kernels.length).toBeGreaterThan(0);
      },
    ),
    { numRuns: 40 },
  );
});
