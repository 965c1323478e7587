import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { lz4Frame, lz4Legacy } from '../../../../fixtures/images/lz4-encode';
import {
  arm64Image,
  bootImage,
  bzImage,
  makeKernel,
  sampleExports,
  vmlinux,
  zboot,
} from '../../../../fixtures/images/make-images';
import { bufferSource } from '../../../../src/core/byte-source';
import { readKernel, unpackKernel } from '../../../../src/kbuild/image/kernel-payload';
import { isInstalled } from '../../../support/installed';
import { failureOf } from './failure';

const { signal } = new AbortController();
const kernel = makeKernel({ exports: sampleExports() });
const image = arm64Image(kernel);
const elf = vmlinux(kernel);
/** Its part that is loaded. */
const loaded = elf.subarray(0, 4096 + kernel.length);
const read = (bytes: Buffer, limit?: number) =>
  readKernel(bufferSource(bytes), 'the image', limit === undefined ? { signal } : { signal, limit });

const deviceTree = Buffer.from('d00dfeed00000038', 'hex');

describe('readKernel', () => {
  it.each([
    ['an Image', image, ['arm64'], image],
    ['a vmlinux', elf, ['elf'], loaded],
    ['a vmlinux of arm64', vmlinux(kernel, { machine: 183, type: 3 }), ['elf'], undefined],
    ['an Image.gz', gzipSync(image), ['gzip', 'arm64'], image],
    [
      'an Image.gz with a device tree behind',
      Buffer.concat([gzipSync(image), deviceTree]),
      ['gzip', 'arm64'],
      image,
    ],
    ['an Image.lz4', lz4Legacy(image), ['lz4-legacy', 'arm64'], image],
    ['an Image in an LZ4 frame', lz4Frame(image), ['lz4-frame', 'arm64'], image],
    ['a vmlinuz.efi', zboot(gzipSync(image), 'gzip'), ['zboot', 'gzip', 'arm64'], image],
    ['a bzImage', bzImage(gzipSync(elf), { sized: false }), ['bzImage', 'gzip', 'elf'], loaded],
    ['a bzImage with LZ4', bzImage(lz4Legacy(elf)), ['bzImage', 'lz4-legacy', 'elf'], loaded],
    ['a boot image', bootImage(2, gzipSync(image)), ['boot', 'gzip', 'arm64'], image],
    ['a newer boot image', bootImage(4, lz4Legacy(image)), ['boot', 'lz4-legacy', 'arm64'], image],
    [
      'a boot image for x86',
      bootImage(4, bzImage(gzipSync(elf), { sized: false })),
      ['boot', 'bzImage', 'gzip', 'elf'],
      loaded,
    ],
  ])('reads the kernel out of %s', async (_, bytes, layers, expected) => {
    const found = await read(bytes);
    expect(found.layers).toEqual(layers);
    if (expected !== undefined) expect(found.bytes.equals(expected)).toBe(true);
  });

  it.each([
    ['a boot image', bootImage(4, gzipSync(image)), 4096 + gzipSync(image).length],
    ['a vmlinux with much for debuggers', vmlinux(kernel, { behind: 50_000 }), loaded.length],
  ])('reads %s no farther than its kernel goes', async (_, bytes, expected) => {
    let end = 0;
    const source = {
      size: bytes.length,
      read: async (offset: number, length: number) => {
        end = Math.max(end, offset + length);
        return bytes.subarray(offset, offset + length);
      },
    };
    await readKernel(source, 'boot_a', { signal });
    expect(end).toBe(expected);
  });

  const changed = (bytes: Buffer, at: number, value: number) => {
    const copy = Buffer.from(bytes);
    copy[at] = value;
    return copy;
  };

  it.each([
    ['an empty file', Buffer.alloc(0), 'is no kernel that kh can read; it is empty'],
    [
      'text',
      Buffer.from('#!/bin/sh\n'),
      'it is of no kind that kh knows: it begins with 23 21 2f 62 69 6e 2f 73',
    ],
    ['a sparse image', Buffer.from('3aff26ed', 'hex'), 'it is a sparse image, which simg2img expands'],
    ['another kind of packing', Buffer.from('BZh91AY'), 'it is packed with bzip2'],
    ['a program', Buffer.from('MZ\x90\0'), 'it is a program for EFI or Windows'],
    [
      'a packed text',
      gzipSync('text'),
      'holds, in gzip, of no kind that kh knows: it begins with 74 65 78 74',
    ],
    ['a boot image in a boot image', bootImage(4, bootImage(4, image)), 'it is an Android boot image'],
    [
      'a kernel that is packed too often',
      gzipSync(gzipSync(gzipSync(gzipSync(image)))),
      'is packed 4 times over',
    ],
    ['a gzip file that is cut off', gzipSync(image).subarray(0, 200), 'is packed as gzip, but it is cut off'],
    [
      'damaged LZ4',
      lz4Legacy(image).subarray(0, 99),
      'is packed as LZ4 (legacy), but it ends within a block',
    ],
    [
      'a bzImage that is cut off',
      bzImage(gzipSync(elf)).subarray(0, 2300),
      'is an x86 bzImage, and is cut off: its payload',
    ],
    ['an old bzImage', changed(bzImage(gzipSync(elf)), 0x206, 7), 'does not tell where the kernel is'],
    [
      'a zboot image that is cut off',
      zboot(gzipSync(image), 'gzip').subarray(0, 600),
      'is an EFI zboot image, and is cut off',
    ],
    [
      'a zboot header that ends early',
      Buffer.from('MZ\0\0zimg'),
      'an EFI zboot image that ends within its header',
    ],
    ['a big-endian Image', changed(image, 24, 1), 'is a big-endian arm64 Image'],
    ['a module', vmlinux(kernel, { type: 1 }), 'is an object file or a module, not a linked vmlinux'],
    ['a vmlinux of 32-bit ARM', changed(elf, 4, 1), 'is an ELF file, but not of 64 bits'],
    ['a vmlinux of RISC-V', vmlinux(kernel, { machine: 243 }), 'machine 243; kh knows x86_64 and aarch64'],
    ['a vmlinux that is cut off', elf.subarray(0, 8000), 'is an ELF file that is cut off'],
    ['a vmlinux without a table of segments', changed(elf, 39, 1), 'is an ELF file that is cut off'],
    ['a vmlinux that loads nothing', changed(elf, 64, 4), 'is an ELF file without anything to load'],
  ])('refuses %s', async (_, bytes, message) => {
    const failure = await failureOf(() => read(bytes));
    expect(failure.code).toBe('BUILD_BAD_IMAGE');
    expect(failure.message).toMatch(/^the image /);
    expect(failure.message).toContain(message);
  });

  it.each([
    ['gzip', gzipSync(image)],
    ['LZ4 (legacy)', lz4Legacy(image)],
    ['LZ4 (frame)', lz4Frame(image)],
  ])('unpacks no more than it may from %s', async (kind, bytes) => {
    await expect(read(bytes, image.length)).resolves.toBeDefined();
    const failure = await failureOf(() => read(bytes, image.length - 1));
    expect(failure.message).toContain(`as ${kind}, but it unpacks to more than ${image.length - 1} bytes`);
  });

  it('takes no kernel that is larger than it may be', async () => {
    expect((await failureOf(() => read(image, 1000))).message).toContain('kh takes up to 1000');
  });

  it('never fails but with its own error, however an image is damaged', async () => {
    const images = [
      bootImage(2, gzipSync(image)),
      bootImage(4, lz4Legacy(image)),
      lz4Frame(image, { linked: true }),
      zboot(lz4Legacy(image), 'lz4'),
      bzImage(gzipSync(elf), { sized: false }),
      elf,
    ];
    const damage = fc.record({
      index: fc.integer({ min: 0, max: images.length - 1 }),
      flips: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 7 })), { maxLength: 5 }),
      headerFlips: fc.array(fc.tuple(fc.nat(100), fc.integer({ min: 0, max: 7 })), { maxLength: 3 }),
      keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ index, flips, headerFlips, keep }) => {
        const whole = images[index]!;
        const bytes = Buffer.from(whole.subarray(0, Math.floor(whole.length * keep)));
        for (const [at, bit] of [...flips, ...headerFlips]) {
          if (bytes.length > 0) bytes[at % bytes.length]! ^= 1 << bit;
        }
        let layers: string[] = ['refused'];
        try {
          ({ layers } = await read(bytes, 1 << 22));
        } catch (error) {
          expect((await failureOf(() => Promise.reject(error as Error))).code).toMatch(
            /^(BUILD_BAD_IMAGE|DECODER_MISSING)$/,
          );
        }
        expect(['arm64', 'elf', 'refused']).toContain(layers.at(-1));
      }),
    );
  });
});

describe.each(['xz', 'zstd'] as const)('a kernel packed with %s', (command) => {
  const ifThere = isInstalled(command) ? it : it.skip;
  const pack = (bytes: Buffer) =>
    spawnSync(command, ['-c', ...(command === 'xz' ? ['--check=crc32'] : [])], { input: bytes }).stdout;
  const path = process.env['PATH'];
  afterEach(() => {
    process.env['PATH'] = path;
  });

  ifThere('is unpacked by that command, from its own file and from a bzImage', async () => {
    const packed = pack(elf);
    expect((await read(packed)).bytes.equals(loaded)).toBe(true);
    expect((await read(bzImage(packed))).layers).toEqual(['bzImage', command, 'elf']);
  });

  ifThere('is refused when it is damaged, or too large', async () => {
    const packed = pack(elf);
    const cut = await failureOf(() => read(packed.subarray(0, packed.length / 2)));
    expect(cut.message).toContain(`is packed as ${command}, but ${command} says: `);
    const large = await failureOf(() => read(packed, packed.length));
    expect(large.message).toContain('it unpacks to more than');
  });

  it('is refused where there is no such command, with its name', async () => {
    process.env['PATH'] = '/nonexistent';
    const magic = { xz: 'fd377a585a000000', zstd: '28b52ffd00000000' }[command];
    const failure = await failureOf(() => read(Buffer.from(magic, 'hex')));
    expect(failure.code).toBe('DECODER_MISSING');
    expect(failure.message).toContain(`there is no ${command} command on the PATH`);
  });

  it('is given up when the signal fires', async () => {
    const reason = new Error('enough');
    const packed = Buffer.from({ xz: 'fd377a585a000000', zstd: '28b52ffd00000000' }[command], 'hex');
    await expect(unpackKernel(packed, 'it', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
