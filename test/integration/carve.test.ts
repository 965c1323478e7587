import { open, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { kernelWithHeaders, SAMPLE_CONFIG } from '../../fixtures/images/kernel-with-headers';
import { arm64Image, bootImage } from '../../fixtures/images/make-images';
import type { CarvedImage } from '../../src/app/carve';
import { makeSampleArchive } from '../../src/archive/sample-archive';
import { kh, type KhRun } from '../support/kh';
import { errorOf } from '../support/pull';
import { tempFolder } from '../support/temp-folder';

const RELEASE = '6.1.75-android14';
const PEAK = resolve(__dirname, '../../scripts/bench/peak-memory.js');

async function inFolder(bytes: (archive: Buffer) => Buffer, extraHeaders = 3) {
  const cwd = await tempFolder();
  const archive = await makeSampleArchive({ release: RELEASE, extraHeaders });
  const image = join(cwd, 'boot.img');
  await writeFile(image, bytes(archive));
  return { cwd, archive, image };
}

const boot = (archive: Buffer) =>
  bootImage(4, arm64Image(kernelWithHeaders({ archive, config: SAMPLE_CONFIG, release: RELEASE })));
const resultOf = (run: KhRun) => (run.json() as { result: CarvedImage }).result;

describe('kh carve', () => {
  it('prints what is in a boot image, and writes nothing', async () => {
    const { cwd, archive } = await inFolder(boot);
    const run = await kh(['carve', 'boot.img'], { cwd });
    expect(run).toExitWith(0);
    expect(run.stderr).toBe('');
    expect(run.stdout).toMatch(new RegExp(`kernel +${RELEASE}\\n`));
    expect(run.stdout).toContain(`${archive.length} bytes at `);
    expect(run.stdout).toMatch(/symbols +12 exported, 11 with a CRC\n/);
  });

  it('writes the archive where -o says, and prints the path', async () => {
    const { cwd, archive } = await inFolder(boot);
    const run = await kh(['carve', 'boot.img', '-o', 'kheaders.tar.xz'], { cwd });
    expect(run).toExitWith(0);
    expect(run.stdout).toBe(`${join(cwd, 'kheaders.tar.xz')}\n`);
    expect((await readFile(join(cwd, 'kheaders.tar.xz'))).equals(archive)).toBe(true);
  });

  it('tells all of it with --json, as its schema says', async () => {
    const { cwd, image, archive } = await inFolder(boot);
    const run = await kh(['carve', 'boot.img', '-o', 'out/', '--json'], { cwd });
    expect(run).toExitWith(0);
    const result = resultOf(run);
    expect(result).toMatchObject({
      image,
      kernels: [{ index: 1, release: RELEASE, within: ['boot', 'arm64'] }],
    });
    expect(result.written.map(({ path }) => path)).toEqual(
      [`kheaders-${RELEASE}.tar.xz`, `config-${RELEASE}`, `Module.symvers-${RELEASE}`].map((name) =>
        join(cwd, 'out', name),
      ),
    );
    const { offset = 0, bytes = 0 } = result.kernels[0]?.headers ?? {};
    expect((await readFile(image)).subarray(offset, offset + bytes).equals(archive)).toBe(true);
  });

  it.each([
    [
      '5, where there is none',
      () => arm64Image(kernelWithHeaders({ release: RELEASE })),
      5,
      'HEADERS_ABSENT',
    ],
    ['7, where it is cut off', (archive: Buffer) => archive.subarray(0, -200), 7, 'ARCHIVE_TRUNCATED'],
    [
      '7, where it is damaged',
      (archive: Buffer) => Buffer.from(archive).fill(1, 2000, 2100),
      7,
      'ARCHIVE_CORRUPT',
    ],
  ])('exits with %s', async (_, bytes, code, name) => {
    const { cwd } = await inFolder(bytes);
    const run = await kh(['carve', 'boot.img', '--json', '-o', 'x'], { cwd });
    expect(run).toExitWith(code);
    expect(errorOf(run).code).toBe(name);
  });

  it('exits with 2 where the image cannot be read', async () => {
    expect(await kh(['carve', '/nowhere/boot.img'])).toExitWith(2);
    expect(await kh(['carve', await tempFolder()])).toExitWith(2);
  });

  it('needs no more than 120 MB for a dump of 512 MB with an archive in its middle', async () => {
    const { cwd, image, archive } = await inFolder(() => Buffer.alloc(0), 500);
    const dump = await open(image, 'r+');
    await dump.truncate(512 << 20);
    await dump.write(archive, 0, archive.length, (256 << 20) + 12_345);
    await dump.close();
    const peakFile = join(cwd, 'peak');
    const env = { NODE_OPTIONS: `--require ${PEAK}`, KH_BENCH_PEAK_FILE: peakFile };
    const run = await kh(['carve', 'boot.img', '-o', 'out.tar.xz'], { cwd, env });
    expect(run).toExitWith(0);
    expect((await readFile(join(cwd, 'out.tar.xz'))).equals(archive)).toBe(true);
    expect(Number(await readFile(peakFile, 'utf8'))).toBeLessThan(120 * 2 ** 20);
  });
});
