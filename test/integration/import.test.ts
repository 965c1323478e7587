import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kernelWithHeaders, SAMPLE_CONFIG, VERSION } from '../../fixtures/images/kernel-with-headers';
import { arm64Image, bootImage, sampleExports } from '../../fixtures/images/make-images';
import type { ImportedHeaders } from '../../src/app/import-headers';
import { makeSampleArchive } from '../../src/archive/sample-archive';
import { formatSymvers } from '../../src/kbuild/symvers/symvers-file';
import { kh, type KhOptions, type KhRun } from '../support/kh';
import { pixel, startLab } from '../support/lab';
import { errorOf, pull, resultOf } from '../support/pull';
import {
  folderListing,
  stagingLeftovers,
  storeArchives,
  storeTrees,
  storeWorkspaces,
} from '../support/store-contents';
import { tempFolder } from '../support/temp-folder';

const RELEASE = '6.1.75-android14';

/** A folder with an archive and a boot image around it, and an empty store. */
async function given() {
  const cwd = await tempFolder();
  const archive = await makeSampleArchive({ release: RELEASE });
  const kernel = kernelWithHeaders({ archive, config: SAMPLE_CONFIG, release: RELEASE });
  await writeFile(join(cwd, 'kheaders.tar.xz'), archive);
  await writeFile(join(cwd, 'boot.img'), bootImage(4, arm64Image(kernel)));
  return { cwd, home: join(cwd, 'home') };
}

const imported = (run: KhRun) => (run.json() as { result: ImportedHeaders }).result;
const importing = (words: string[], options: KhOptions) => kh(['import', '--json', ...words], options);

describe('kh import of an archive', () => {
  it('makes a workspace that the other commands find, without a device', async () => {
    const options = await given();
    const run = await kh(['import', 'kheaders.tar.xz'], options);
    expect(run).toExitWith(0);
    const path = join(options.home, 'v1/workspaces/imported', RELEASE);
    expect(run.stdout).toBe(`${path}\n`);
    expect((await kh(['workspace', 'path', '--release', RELEASE], options)).stdout).toBe(`${path}\n`);
    expect((await kh(['workspace', 'path', '-s', 'imported'], options)).stdout).toBe(`${path}\n`);
    expect((await kh(['workspace', 'list'], options)).stdout).toMatch(/^imported +- +6\.1\.75-android14 /m);
    expect(await kh(['workspace', 'verify'], options)).toExitWith(0);
    const header = join(path, 'headers/include/generated/autoconf.h');
    await chmod(header, 0o600);
    await writeFile(header, 'damaged');
    const damaged = await kh(['workspace', 'verify'], options);
    expect(damaged).toExitWith(11);
    expect(damaged.stderr).toMatch(/`kh import \S+kheaders\.tar\.xz --force` makes it anew/);
    const shown = await kh(['workspace', 'show'], options);
    expect(shown.stdout).toMatch(/came from +\S+kheaders\.tar\.xz \(file\)/);
    expect(await kh(['workspace', 'remove', '--all'], options)).toExitWith(0);
    expect(await storeWorkspaces(options.home)).toEqual([]);
  });

  it('checks what a pull checks, and tells it', async () => {
    const options = await given();
    const result = imported(await importing(['kheaders.tar.xz', '--release', RELEASE], options));
    expect(result).toMatchObject({
      device: 'imported',
      release: RELEASE,
      machine: 'aarch64',
      arch: 'arm64',
      known: false,
    });
    expect(result.verdict).toEqual({ trust: 'unverified', checks: ['xz', 'required-files', 'release'] });
    expect(await readFile(join(result.headers, 'include/generated/utsrelease.h'), 'utf8')).toContain(RELEASE);
  });

  it('changes nothing the second time, and extracts nothing', async () => {
    const options = await given();
    const first = imported(await importing(['kheaders.tar.xz'], options));
    const trees = await folderListing(join(options.home, 'v1/trees'));
    const again = imported(await importing(['kheaders.tar.xz'], options));
    expect(again).toEqual({ ...first, known: true });
    expect(await folderListing(join(options.home, 'v1/trees'))).toEqual(trees);
  });

  it('may be done by several processes at once', async () => {
    const options = await given();
    const runs = await Promise.all([1, 2, 3].map(() => importing(['kheaders.tar.xz'], options)));
    for (const run of runs) expect(run).toExitWith(0);
    expect(runs.filter((run) => !imported(run).known)).toHaveLength(1);
    expect(await storeTrees(options.home)).toHaveLength(1);
    expect(await stagingLeftovers(options.home)).toEqual([]);
  });

  it.each([
    ['another release than was asked for', ['--release', '6.1.76'], 6, 'VERIFY_RELEASE'],
    [
      'no entry where one is required',
      ['--manifest', 'other.json', '--require-manifest'],
      6,
      'VERIFY_UNLISTED',
    ],
    ['another digest than the manifest has', ['--manifest', 'kheaders.md5'], 6, 'VERIFY_MANIFEST'],
    ['a configuration of another kernel', ['--config', 'other.config'], 2, 'USAGE'],
    ['two sources', ['--from-carve', 'boot.img'], 2, 'USAGE'],
  ])('refuses %s, and keeps no workspace', async (_, words, code, name) => {
    const options = await given();
    await writeFile(join(options.cwd, 'other.json'), '{ "kheaders": 1, "kernels": [] }');
    await writeFile(join(options.cwd, 'kheaders.md5'), `${'1'.repeat(32)}\n`.repeat(3));
    await writeFile(join(options.cwd, 'other.config'), SAMPLE_CONFIG.replace('250', '100'));
    const run = await importing(['kheaders.tar.xz', ...words], options);
    expect(run).toExitWith(code);
    expect(errorOf(run).code).toBe(name);
    expect(await storeWorkspaces(options.home)).toEqual([]);
  });

  it.each([
    ['an archive that is cut off', (bytes: Buffer) => bytes.subarray(0, -100), 7, 'ARCHIVE_TRUNCATED'],
    [
      'an archive that is damaged',
      (bytes: Buffer) => Buffer.from(bytes).fill(1, 1000, 1050),
      7,
      'ARCHIVE_CORRUPT',
    ],
    ['an image, and says how to import that', (bytes: Buffer) => arm64Image(bytes), 2, 'USAGE'],
    ['what is neither', () => Buffer.from('neither'), 7, 'ARCHIVE_CORRUPT'],
  ])('refuses %s', async (_, spoil, code, name) => {
    const options = await given();
    const path = join(options.cwd, 'kheaders.tar.xz');
    await writeFile(path, spoil(await readFile(path)));
    const run = await importing(['kheaders.tar.xz'], options);
    expect(run).toExitWith(code);
    expect(errorOf(run).code).toBe(name);
    expect(await storeArchives(options.home)).toEqual([]);
  });

  it('trusts what the lab trusts, and learns the build of the kernel from its list', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const { cwd, home } = await given();
    const run = await pull(lab, [], { home });
    const { release, version, sha256 } = resultOf(run);
    const list = join(cwd, 'lab.json');
    expect(await kh(['manifest', 'add', list], { home })).toExitWith(0);
    const archive = join(home, 'v1/archives', `${sha256}.tar.xz`);
    const words = [archive, '--manifest', list, '--require-manifest'];
    const result = imported(await importing(words, { home: join(cwd, 'other-home') }));
    expect(result).toMatchObject({ release, version, verdict: { trust: 'trusted' } });
  });
});

describe('kh import for a device', () => {
  it('has a later pull of that device transfer nothing, into the same workspace', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const { cwd, home } = await given();
    const { sha256, release } = resultOf(await pull(lab, [], { home: join(cwd, 'first') }));
    const archive = join(cwd, 'first/v1/archives', `${sha256}.tar.xz`);
    expect(await kh(['import', archive, '--device', 'PIXEL'], { home })).toExitWith(0);
    expect(await storeWorkspaces(home)).toEqual([`PIXEL/${release}`]);
    const pulled = resultOf(await pull(lab, [], { home }));
    expect(pulled).toMatchObject({ transferred: false, knownBy: 'device-md5', sha256, origin: 'built-in' });
    expect(await storeWorkspaces(home)).toEqual([`PIXEL/${release}`]);
  });

  it('leaves what a pull told of the device as it is', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const { cwd, home } = await given();
    const pulled = resultOf(await pull(lab, [], { home }));
    const archive = join(home, 'v1/archives', `${pulled.sha256}.tar.xz`);
    const again = imported(await importing([archive, '--device', 'PIXEL'], { cwd, home }));
    expect(again).toMatchObject({ workspace: pulled.workspace, version: pulled.version, known: true });
    expect(resultOf(await pull(lab, [], { home })).knownBy).toBe('same-boot');
  });

  it('takes a workspace without a device, and that of the device, for one kernel', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const { home } = await given();
    const { sha256, release } = resultOf(await pull(lab, [], { home }));
    expect(await kh(['import', join(home, 'v1/archives', `${sha256}.tar.xz`)], { home })).toExitWith(0);
    expect(await storeWorkspaces(home)).toEqual([`PIXEL/${release}`, `imported/${release}`]);
    const run = await kh(['symvers', '--kernel', release, '--json'], { home });
    expect(errorOf(run)).toMatchObject({
      code: 'SYMVERS_UNAVAILABLE',
      message: expect.stringContaining('they did not come with its headers') as string,
      hint: expect.stringMatching(/^Two ways remain: name the boot image/) as string,
    });
  });
});

describe('kh import --from-carve', () => {
  it('keeps the configuration and the exported symbols of the image, for builds without a device', async () => {
    const options = await given();
    const run = await importing(['--from-carve', 'boot.img'], options);
    expect(run).toExitWith(0);
    const result = imported(run);
    expect(result).toMatchObject({
      release: RELEASE,
      version: VERSION,
      config: true,
      symbols: sampleExports().length,
    });
    expect(await readFile(join(result.workspace, 'config'), 'utf8')).toBe(SAMPLE_CONFIG);
    const symvers = await kh(['symvers', '--kernel', RELEASE, '--json'], options);
    expect(symvers).toExitWith(0);
    expect((symvers.json() as { result: unknown }).result).toMatchObject({
      path: join(result.workspace, 'Module.symvers'),
      kept: true,
      sources: [{ name: join(options.cwd, 'boot.img'), symbols: sampleExports().length }],
    });
  });

  it('adds to an archive that was imported alone, and takes the word of a file that is named', async () => {
    const options = await given();
    const symvers = join(options.cwd, 'Module.symvers');
    const own = sampleExports().map((entry) => ({ ...entry, module: 'vmlinux' }));
    const more = { name: 'of_a_module', crc: 7, module: 'extra', gpl: false, namespace: '' };
    await writeFile(symvers, formatSymvers([...own, more]));
    expect(imported(await importing(['kheaders.tar.xz'], options)).symbols).toBeUndefined();
    const result = imported(await importing(['--from-carve', 'boot.img', '--symvers', symvers], options));
    expect(result).toMatchObject({ known: true, version: VERSION, symbols: own.length + 1 });
    await writeFile(symvers, formatSymvers(own.map((entry) => ({ ...entry, crc: 1 }))));
    const run = await importing(['--from-carve', 'boot.img', '--symvers', symvers], options);
    expect(run).toExitWith(8);
    expect(errorOf(run).code).toBe('BUILD_BAD_SYMVERS');
  });

  it('fails as carving does, where the image has none', async () => {
    const options = await given();
    await writeFile(join(options.cwd, 'boot.img'), Buffer.alloc(10_000));
    expect(await importing(['--from-carve', 'boot.img'], options)).toExitWith(5);
  });
});
