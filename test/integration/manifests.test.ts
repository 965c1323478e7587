import { readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PulledHeaders } from '../../src/app/pull-headers';
import { kh } from '../support/kh';
import { cuttlefish, pixel, startLab } from '../support/lab';
import { errorOf, pull, resultOf } from '../support/pull';
import { folderListing, stagingLeftovers, storeArchives, storeTrees } from '../support/store-contents';
import { tempFolder } from '../support/temp-folder';

type Digests = Pick<PulledHeaders, 'md5' | 'sha256' | 'release' | 'bytes'>;

const ONES = '1'.repeat(32);

const labText = ({ release, md5, sha256, bytes }: Digests) =>
  JSON.stringify({
    kheaders: 1,
    kernels: [{ release, md5, sha256, bytes, added: '2026-01-02T03:04:05.000Z' }],
  });

/** Each form, how it is written, and the digest that decides. */
const FORMS: [form: string, digest: 'md5' | 'sha256', text: (archive: Digests) => string][] = [
  ['kheaders.md5', 'md5', ({ md5 }) => `${ONES}\n${ONES}\n${md5}\n`],
  ['checksum-list', 'md5', ({ md5, release }) => `${md5}  ${release}/kheaders.tar.xz\n`],
  ['checksum-list', 'sha256', ({ sha256, release }) => `SHA256 (kheaders-${release}.tar.xz) = ${sha256}\n`],
  ['lab', 'sha256', labText],
];

async function manifest(text: string): Promise<string> {
  const path = join(await tempFolder(), 'manifest');
  await writeFile(path, text);
  return path;
}

/** The digest with its last digit changed. */
function spoilt(digest: string): string {
  return digest.slice(0, -1) + (digest.endsWith('0') ? '1' : '0');
}

/** A lab with one phone, and what an unchecked pull gave. */
async function pulledPhone() {
  const lab = await startLab({ devices: [pixel()] });
  const run = await pull(lab);
  expect(run).toExitWith(0);
  return { lab, home: run.home, archive: resultOf(run) };
}

describe.each(FORMS)('kh pull --manifest with a %s of %s', (form, digest, text) => {
  it('trusts what it names', async () => {
    const { lab, home, archive } = await pulledPhone();
    const path = await manifest(text(archive));
    const run = await pull(lab, ['--manifest', path, '--require-manifest', '--force'], { home });
    expect(run).toExitWith(0);
    expect(resultOf(run).verdict).toMatchObject({ trust: 'trusted', manifest: { path, form, digest } });
    expect(resultOf(run).verdict.checks).toContain('manifest');
  });

  it('refuses what differs in one digit, names both digests, and keeps nothing', async () => {
    const { lab, archive } = await pulledPhone();
    const expected = spoilt(archive[digest]);
    const path = await manifest(text({ ...archive, [digest]: expected }));
    const run = await pull(lab, ['--manifest', path]);
    expect(run).toExitWith(6);
    expect(errorOf(run)).toMatchObject({ code: 'VERIFY_MANIFEST', details: { manifest: path } });
    expect(errorOf(run).message).toContain(archive[digest]);
    expect(errorOf(run).message).toContain(expected);
    expect(await storeArchives(run.home)).toEqual([]);
    expect(await storeTrees(run.home)).toEqual([]);
    expect(await stagingLeftovers(run.home)).toEqual([]);
  });

  it.each([
    ['of this very boot', []],
    ['that is pulled again', ['--force']],
  ])('refuses it for a workspace %s too, and leaves that as it was', async (_, flags) => {
    const { lab, home, archive } = await pulledPhone();
    const before = await folderListing(join(home, 'v1', 'workspaces'));
    const trees = await storeTrees(home);
    const path = await manifest(text({ ...archive, [digest]: spoilt(archive[digest]) }));
    const run = await pull(lab, ['--manifest', path, ...flags], { home });
    expect(run).toExitWith(6);
    expect(errorOf(run).code).toBe('VERIFY_MANIFEST');
    expect(await folderListing(join(home, 'v1', 'workspaces'))).toEqual(before);
    expect(await storeTrees(home)).toEqual(trees);
    expect(await kh(['workspace', 'verify'], { home })).toExitWith(0);
  });
});

describe('kh pull --manifest', () => {
  it.each([
    ['a kheaders.md5 of one line', `${ONES}  -\n`, /fingerprint of file names, not the md5 of the archive/],
    ['JSON of another version', '{ "kheaders": 2, "kernels": [] }', /is of version 2/],
    ['an empty file', '', /is empty/],
    ['prose', 'the archive is fine\n', /no checksum: "the archive is fine"/],
  ])('refuses %s with the reason, before it transfers anything', async (_, text, reason) => {
    const lab = await startLab({ devices: [pixel()] });
    const run = await pull(lab, ['--manifest', await manifest(text)]);
    expect(run).toExitWith(6);
    expect(errorOf(run).code).toBe('MANIFEST_UNUSABLE');
    expect(errorOf(run).message).toMatch(reason);
    expect(lab.device('PIXEL').counters.recvStarted).toBe(0);
  });

  it('is a usage error where there is no such file', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const run = await pull(lab, ['--manifest', 'nowhere.json']);
    expect(run).toExitWith(2);
    expect(errorOf(run).message).toMatch(/there is no manifest \/.*\/nowhere\.json/);
  });

  it('may be named by KH_MANIFEST', async () => {
    const { lab, archive } = await pulledPhone();
    const KH_MANIFEST = await manifest(`${spoilt(archive.md5)}  kheaders.tar.xz\n`);
    expect(await pull(lab, [], { env: { KH_MANIFEST } })).toExitWith(6);
    const other = await manifest(`${archive.md5}  kheaders.tar.xz\n`);
    const run = await pull(lab, ['--manifest', other], { env: { KH_MANIFEST } });
    expect(run).toExitWith(0);
    expect(resultOf(run).verdict.manifest?.path).toBe(other);
  });
});

describe('a kernel that the manifest does not know', () => {
  const OTHER = `${ONES}  6.6.6-other/kheaders.tar.xz\n`;

  it('is pulled as unverified', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const run = await pull(lab, ['--manifest', await manifest(OTHER)]);
    expect(run).toExitWith(0);
    expect(resultOf(run).verdict.trust).toBe('unverified');
    expect(resultOf(run).verdict.checks).not.toContain('manifest');
    expect(run.stderr).toMatch(/unverified/);
  });

  it.each([
    ['the first time', false],
    ['when its workspace is of this very boot', true],
  ])('is refused with --require-manifest, %s', async (_, before) => {
    const lab = await startLab({ devices: [pixel()] });
    const home = await tempFolder();
    if (before) expect(await pull(lab, [], { home })).toExitWith(0);
    const path = await manifest(OTHER);
    const run = await pull(lab, ['--manifest', path, '--require-manifest'], { home });
    expect(run).toExitWith(6);
    expect(errorOf(run).code).toBe('VERIFY_UNLISTED');
    expect(errorOf(run).message).toContain(`${path} has no entry for kernel 6.1.145-`);
    expect(await storeTrees(home)).toHaveLength(before ? 1 : 0);
  });

  it('cannot be refused by a manifest that nobody names', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const run = await pull(lab, ['--require-manifest']);
    expect(run).toExitWith(2);
    expect(run.stderr).toMatch(/KH_MANIFEST/);
  });
});

describe('kh manifest', () => {
  it('makes a manifest of a trusted workspace that another store can check against', async () => {
    const lab = await startLab({ devices: [pixel(), cuttlefish()] });
    const trusted = await pull(lab, ['-s', 'PIXEL']);
    const path = join(await tempFolder(), 'lab.json');
    const add = await kh(['manifest', 'add', path, '--note', 'from the factory image'], {
      home: trusted.home,
    });
    expect(add).toExitWith(0);

    const show = await kh(['manifest', 'show', path, '--json']);
    expect(show).toExitWith(0);
    const { md5, sha256, bytes, release } = resultOf(trusted);
    const entry = { md5, sha256, bytes, release, note: 'from the factory image' };
    expect(show.json()).toMatchObject({ result: { form: 'lab', path, kernels: [entry] } });

    const elsewhere = await pull(lab, ['--all', '--manifest', path]);
    expect(elsewhere).toExitWith(0);
    const { home } = elsewhere;
    const check = await kh(['manifest', 'check', path, '--json'], { home });
    expect(check).toExitWith(0);
    expect(statuses(check.json())).toEqual({ PIXEL: 'trusted', CUTTLEFISH: 'unlisted' });
    const strict = await kh(['manifest', 'check', path, '--json', '--require-manifest'], { home });
    expect(strict).toExitWith(6);

    expect(await kh(['manifest', 'add', path, '-s', 'CUTTLEFISH'], { home })).toExitWith(0);
    expect(await kh(['manifest', 'check', path, '--require-manifest'], { home })).toExitWith(0);
  });

  it('finds a workspace that the manifest contradicts', async () => {
    const { home, archive } = await pulledPhone();
    const path = await manifest(labText({ ...archive, md5: spoilt(archive.md5) }));
    const check = await kh(['manifest', 'check', path, '--json'], { home });
    expect(check).toExitWith(6);
    expect(check.json()).toMatchObject({ status: 'failed', exitCode: 6 });
    expect(statuses(check.json())).toEqual({ PIXEL: 'mismatch' });
  });

  it('adds to no file of another form, and leaves that as it was', async () => {
    const { home } = await pulledPhone();
    const path = await manifest(`${ONES}  kheaders.tar.xz\n`);
    const add = await kh(['manifest', 'add', path], { home });
    expect(add).toExitWith(6);
    expect(await readFile(path, 'utf8')).toBe(`${ONES}  kheaders.tar.xz\n`);
  });
});

describe('a change of the manifest', () => {
  it.each([
    ['add', '--note'],
    ['revoke', '--sha256', '1'.repeat(64), '--reason'],
  ])('by %s does not say what no kh would read again', async (verb, ...flags) => {
    const { home, archive } = await pulledPhone();
    const path = await manifest(labText(archive));
    for (const text of ['', 'x'.repeat(1001)]) {
      const run = await kh(['manifest', verb, path, ...flags, text], { home });
      expect(run).toExitWith(2);
      expect(run.stderr).toMatch(/takes text of 1 to 1000 characters/);
    }
    expect(await readFile(path, 'utf8')).toBe(labText(archive));
    expect(await kh(['manifest', verb, path, ...flags, 'x'.repeat(1000)], { home })).toExitWith(0);
    expect(await kh(['manifest', 'show', path], { home })).toExitWith(0);
  });

  it('goes through a link to where the manifest is', async () => {
    const { home, archive } = await pulledPhone();
    const path = await manifest(labText(archive));
    const link = join(await tempFolder(), 'lab.json');
    await symlink(path, link);
    expect(await kh(['manifest', 'add', link, '--note', 'why'], { home })).toExitWith(0);
    expect(await readlink(link)).toBe(path);
    expect(await readFile(path, 'utf8')).toContain('"note": "why"');
  });
});

/** The status of each device in a document of `kh manifest check`. */
function statuses(document: unknown): Record<string, string> {
  const { result } = document as { result: { device: string; status: string }[] };
  return Object.fromEntries(result.map(({ device, status }) => [device, status]));
}
