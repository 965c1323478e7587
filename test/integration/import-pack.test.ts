import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, cp, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImportedHeaders } from '../../src/app/import-headers';
import { formatKernelBuildRecord, parseKernelBuildRecord } from '../../src/archive/kernel-build';
import { gnuTar, type TarEntry } from '../../src/archive/tar/gnu-tar';
import { encodeXz } from '../../src/archive/xz/encode-xz';
import { fakeBuildSource } from '../support/fake-build-source';
import { fakeKernelBuild, writeFiles } from '../support/fake-kernel-build';
import { kh, type KhOptions, type KhRun } from '../support/kh';
import { pixel, startLab } from '../support/lab';
import { errorOf, pull, resultOf } from '../support/pull';
import { stagingLeftovers, storeTrees, storeWorkspaces } from '../support/store-contents';
import { tempFolder } from '../support/temp-folder';

const RELEASE = '6.12.3-fake';
const AUTOCONF = '#define CONFIG_ARM64 1\n#define CONFIG_64BIT 1\n#define CONFIG_HZ 250\n';
const CONFIG = 'CONFIG_ARM64=y\nCONFIG_64BIT=y\nCONFIG_HZ=250\n';
const SYMVERS = '0x00000001\tfake\tvmlinux\tEXPORT_SYMBOL\t\n';

/** A kernel build whose headers can be imported, and a store. */
async function given() {
  const cwd = await tempFolder();
  const { source, build } = await fakeKernelBuild(cwd, { pullable: true });
  await fakeBuildSource(source);
  await writeFiles(build, {
    'include/generated/autoconf.h': AUTOCONF,
    '.config': CONFIG,
    'Module.symvers': SYMVERS,
  });
  return { cwd, home: join(cwd, 'home'), build, source, env: { SOURCE_DATE_EPOCH: '1767225600' } };
}

/** The same, packed into the folder `packed`. */
async function packed() {
  const place = await given();
  const pack = (...words: string[]) => kh(['pack', place.build, '-o', 'packed', ...words], place);
  expect(await pack('--full')).toExitWith(0);
  return { ...place, pack, folder: join(place.cwd, 'packed') };
}

const importing = (words: string[], options: KhOptions) => kh(['import', '--json', ...words], options);
const imported = (run: KhRun) => (run.json() as { result: ImportedHeaders }).result;

/** Puts another `kernel-build.tar.xz` into a pack: its record, changed, and further entries. */
async function forge(folder: string, change: object, entries: TarEntry[] = []): Promise<void> {
  const { sha256, md5, bytes } = await digestsIn(folder);
  const record = { release: RELEASE, arch: 'arm64', headers: { sha256, md5, bytes }, missing: [], ...change };
  const first: TarEntry = {
    ...{ name: './kernel-build.json', kind: 'file', mode: 0o644 },
    content: Buffer.from(formatKernelBuildRecord(record)),
  };
  const tar = Buffer.concat([...gnuTar([first, ...entries], 0)]);
  await writeFile(join(folder, 'kernel-build.tar.xz'), await encodeXz(tar));
}

async function digestsIn(folder: string) {
  const content = await readFile(join(folder, 'kheaders.tar.xz'));
  const digest = (name: string) => createHash(name).update(content).digest('hex');
  return { sha256: digest('sha256'), md5: digest('md5'), bytes: content.length };
}

describe('kh import --from-pack', () => {
  it('makes a workspace with all that a build needs, and keeps the build files once', async () => {
    const place = await packed();
    const result = imported(await importing(['--from-pack', 'packed'], place));
    expect(result).toMatchObject({ release: RELEASE, machine: 'aarch64', config: true, symbols: 1 });
    expect(await readFile(join(result.workspace, 'config'), 'utf8')).toBe(CONFIG);
    expect(await readFile(join(result.workspace, 'Module.symvers'), 'utf8')).toBe(SYMVERS);
    await importing(['--from-pack', 'packed', '--device', 'PIXEL'], place);
    expect(await storeTrees(place.home)).toHaveLength(2);
    const tree = join(place.home, 'v1/trees', result.kernelBuild?.sha256 ?? '');
    expect(parseKernelBuildRecord(await readFile(join(tree, 'kernel-build.json'), 'utf8'))).toMatchObject({
      release: RELEASE,
      headers: { sha256: result.sha256 },
      missing: [],
    });
    expect((await stat(join(tree, 'scripts/cc-version.sh'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(tree, 'Makefile'))).mode & 0o777).toBe(0o644);
  });

  it('is known to what looks after workspaces and the store', async () => {
    const place = await packed();
    const { kernelBuild } = imported(await importing(['--from-pack', 'packed'], place));
    const shown = await kh(['workspace', 'show'], place);
    expect(shown.stdout).toMatch(new RegExp(`build files +.*${kernelBuild?.sha256}`));
    expect(await kh(['workspace', 'verify'], place)).toExitWith(0);
    expect(await kh(['store', 'verify'], place)).toExitWith(0);
    const makefile = join(place.home, 'v1/trees', kernelBuild?.sha256 ?? '', 'Makefile');
    await appendFile(makefile, '# changed\n');
    expect((await kh(['workspace', 'verify'], place)).stdout).toMatch(/Makefile: content differs/);
    expect(await kh(['store', 'verify', '--repair'], place)).toExitWith(0);
    expect(await kh(['workspace', 'verify'], place)).toExitWith(0);
    const removed = await kh(['workspace', 'remove', '--all', '--json'], place);
    expect(removed.json()).toMatchObject({ result: { unreferenced: 2 } });
  });

  it('takes a kernel build, and leaves nothing of the packing behind', async () => {
    const place = await given();
    const quiet = { cwd: place.cwd, home: place.home };
    const first = imported(await importing(['--from-pack', place.build], quiet));
    expect(first).toMatchObject({ release: RELEASE, config: true, symbols: 1, known: false });
    expect(await stagingLeftovers(place.home)).toEqual([]);
    for (const env of [{}, { SOURCE_DATE_EPOCH: '' }]) {
      const again = imported(await importing(['--from-pack', place.build], { ...quiet, env }));
      expect(again).toEqual({ ...first, known: true });
    }
  });

  it('takes a pack of headers alone, and one that is named to be of them keeps what it had', async () => {
    const place = await packed();
    const full = imported(await importing(['--from-pack', 'packed'], place));
    await rm(join(place.folder, 'kernel-build.tar.xz'));
    const headers = imported(await importing(['--from-pack', 'packed'], place));
    expect(headers).toMatchObject({ config: false, kernelBuild: full.kernelBuild });
    expect((await importing(['--from-pack', 'packed', '--device', 'OTHER'], place)).stdout).not.toMatch(
      /kernelBuild/,
    );
  });

  it('is found by a pull from a device with that kernel, which keeps the build files', async () => {
    const place = await given();
    const lab = await startLab({ devices: [pixel()] });
    const { sha256, release, arch } = resultOf(await pull(lab, [], { home: join(place.cwd, 'first') }));
    const folder = join(place.cwd, 'packed');
    await mkdir(folder);
    await cp(join(place.cwd, 'first/v1/archives', `${sha256}.tar.xz`), join(folder, 'kheaders.tar.xz'));
    await forge(folder, { release, arch });
    const result = imported(await importing(['--from-pack', 'packed', '--device', 'PIXEL'], place));
    const pulled = resultOf(await pull(lab, [], { home: place.home }));
    expect(pulled).toMatchObject({ transferred: false, kernelBuild: result.kernelBuild });
    expect(pulled.kernelBuild).toBeDefined();
  });

  it('lets named files win over those of the pack', async () => {
    const place = await packed();
    await writeFile(join(place.cwd, 'mine.symvers'), SYMVERS.replace('fake', 'mine'));
    const words = ['--from-pack', 'packed', '--symvers', 'mine.symvers'];
    const { workspace } = imported(await importing(words, place));
    expect(await readFile(join(workspace, 'Module.symvers'), 'utf8')).toContain('mine');
  });

  it('warns where a manifest that is to vouch for the headers says nothing of build files', async () => {
    const place = await packed();
    const run = await importing(['--from-pack', 'packed', '--manifest', 'packed/kheaders.md5'], place);
    expect(run).toExitWith(0);
    expect(JSON.stringify((run.json() as { warnings: unknown }).warnings)).toMatch(/speaks for the headers/);
  });

  const other = 'ef'.repeat(32);
  const link: TarEntry = { name: './scripts/out', kind: 'symlink', mode: 0o777, target: '../../../../etc' };
  const climbing: TarEntry = { name: './../out', kind: 'file', mode: 0o644 };
  it.each<[string, string, number, (folder: string) => Promise<void>]>([
    [
      'of other headers',
      'VERIFY_PACK',
      6,
      (folder) => forge(folder, { headers: { sha256: other, md5: 'cd'.repeat(16), bytes: 1 } }),
    ],
    ['of another release', 'VERIFY_PACK', 6, (folder) => forge(folder, { release: '6.12.4-fake' })],
    ['for another processor', 'VERIFY_PACK', 6, (folder) => forge(folder, { arch: 'x86' })],
    [
      'with another configuration',
      'VERIFY_PACK',
      6,
      (folder) =>
        forge(folder, {}, [
          {
            name: './.config',
            kind: 'file',
            mode: 0o644,
            content: Buffer.from(CONFIG.replace('250', '100')),
          },
        ]),
    ],
    ['with a link that leaves it', 'ARCHIVE_UNSAFE', 7, (folder) => forge(folder, {}, [link])],
    ['with a member outside of it', 'ARCHIVE_UNSAFE', 7, (folder) => forge(folder, {}, [climbing])],
    [
      'that is no such archive',
      'ARCHIVE_INCOMPLETE',
      7,
      (folder) => cp(join(folder, 'kheaders.tar.xz'), join(folder, 'kernel-build.tar.xz')),
    ],
  ])('refuses build files %s, and keeps no workspace', async (_, code, exit, spoil) => {
    const place = await packed();
    await spoil(place.folder);
    const run = await importing(['--from-pack', 'packed'], place);
    expect(run).toExitWith(exit);
    expect(errorOf(run).code).toBe(code);
    expect(await storeWorkspaces(place.home)).toEqual([]);
    expect(await stagingLeftovers(place.home)).toEqual([]);
  });

  it('refuses headers that are not those that the kheaders.md5 beside them names', async () => {
    const place = await packed();
    const file = join(place.folder, 'kheaders.md5');
    const lines = (await readFile(file, 'utf8')).split('\n');
    await writeFile(file, [...lines.slice(0, -2), '1'.repeat(32), ''].join('\n'));
    const run = await importing(['--from-pack', 'packed'], place);
    expect(run).toExitWith(6);
    expect(errorOf(run).code).toBe('VERIFY_MD5');
  });

  it('refuses build files that are named as if they were headers, known or not', async () => {
    const place = await packed();
    const words = ['packed/kernel-build.tar.xz'];
    expect(errorOf(await importing(words, place)).code).toBe('ARCHIVE_INCOMPLETE');
    await importing(['--from-pack', 'packed'], place);
    expect(errorOf(await importing(words, place)).code).toBe('ARCHIVE_INCOMPLETE');
  });

  it('says what it takes where a folder is neither a pack nor a build', async () => {
    const run = await kh(['import', '--from-pack', await tempFolder()]);
    expect(run).toExitWith(2);
    expect(run.stderr).toMatch(/holds no kheaders\.tar\.xz, and is no kernel build/);
  });
});

describe('what cannot be imported', () => {
  it('is named for what it is, with what to name in its place', async () => {
    const place = await packed();
    const said = async (...words: string[]) => {
      const run = await kh(['import', ...words], place);
      return `${run.exitCode} ${run.stderr}`;
    };
    expect(await said('packed')).toMatch(/^2 .*packed is a folder, and no archive\n.*--from-pack/);
    expect(await said('--from-pack', 'nowhere')).toMatch(/^2 .*there is no folder .*nowhere\n/);
    expect(await said('--from-pack', 'packed/kheaders.tar.xz')).toMatch(
      /^2 .*kheaders\.tar\.xz is no folder\n/,
    );
    expect(await said('packed/kernel-build.tar.xz')).toMatch(/^7 .*holds the build files of a kernel, not/);
  });

  it('is refused at once where a pack has a pipe or no end in place of its md5 sums', async () => {
    const place = await packed();
    const digests = join(place.folder, 'kheaders.md5');
    const refused = async (message: RegExp) => {
      const run = await kh(['import', '--from-pack', 'packed'], place);
      expect(run).toExitWith(2);
      expect(run.stderr).toMatch(message);
    };
    await rm(digests);
    await symlink('/dev/zero', digests);
    await refused(/kheaders\.md5 is a character device, not a file/);
    await rm(digests);
    expect(spawnSync('mkfifo', [digests]).status).toBe(0);
    await refused(/kheaders\.md5 is a pipe, not a file/);
  });

  it('leaves no workspace where a file that is named with it is none of its kind', async () => {
    const place = await packed();
    const refused = async (code: number, ...words: string[]) =>
      expect(await kh(['import', 'packed/kheaders.tar.xz', ...words], place)).toExitWith(code);
    await refused(8, '--symvers', 'packed/kheaders.md5');
    await refused(2, '--symvers', '/dev/zero');
    await refused(2, '--config', '/dev/zero');
    await refused(2, '--symvers', 'packed');
    expect(await storeWorkspaces(place.home)).toEqual([]);
  });
});

describe('kh pack --full', () => {
  it('prints both paths, and tells of both', async () => {
    const place = await given();
    const run = await kh(['pack', place.build, '-o', 'out', '--full'], place);
    const [headers, build] = ['kheaders.tar.xz', 'kernel-build.tar.xz'].map((name) =>
      join(place.cwd, 'out', name),
    );
    expect(run.stdout).toBe(`${headers}\n${build}\n`);
    expect(run.stderr).toMatch(/^kheaders\.tar\.xz: packed, /m);
    expect(run.stderr).toMatch(/^kernel-build\.tar\.xz: packed, /m);
  });

  it('writes the second archive anew when one of its files changed, and only then', async () => {
    const place = await packed();
    const full = async () => {
      const run = await place.pack('--full', '--json');
      return (run.json() as { result: { unchanged: boolean; full: { unchanged: boolean } } }).result;
    };
    expect(await full()).toMatchObject({ unchanged: true, full: { unchanged: true } });
    await writeFile(join(place.source, 'scripts/cc-version.sh'), '#!/bin/sh\necho 17\n');
    expect(await full()).toMatchObject({ unchanged: true, full: { unchanged: false } });
    await rm(join(place.build, 'Module.symvers'));
    expect(await full()).toMatchObject({ full: { unchanged: false, symvers: false } });
    await writeFile(join(place.source, 'include/linux/types.h'), 'typedef long t;\n');
    expect(await full()).toMatchObject({ unchanged: false, full: { unchanged: false } });
    expect(await full()).toMatchObject({ unchanged: true, full: { unchanged: true } });
  });

  it('says what is missing, and what that means', async () => {
    const place = await given();
    await rm(join(place.build, '.config'));
    await rm(join(place.build, 'Module.symvers'));
    await rm(join(place.source, 'scripts/mod/modpost.c'));
    const run = await kh(['pack', place.build, '-o', 'out', '--full'], place);
    expect(run).toExitWith(0);
    expect(run.stderr).toMatch(/has no \.config/);
    expect(run.stderr).toMatch(/has no Module\.symvers, which a whole kernel build makes/);
    expect(run.stderr).toMatch(/build files are left out: it lacks scripts\/mod\/modpost\.c/);
  });

  it('leaves the headers as they are without it', async () => {
    const place = await packed();
    await kh(['pack', place.build, '-o', 'plain'], place);
    for (const name of ['kheaders.tar.xz', 'kheaders.md5']) {
      const [one, two] = await Promise.all(
        ['packed', 'plain'].map((at) => readFile(join(place.cwd, at, name))),
      );
      expect(one?.equals(two ?? Buffer.alloc(0))).toBe(true);
    }
  });
});

describe('what was imported and is damaged', () => {
  it.each(['workspace', 'store'])('is mended by its import, as kh %s verify says', async (what) => {
    const { home, cwd, folder } = await packed();
    expect(await importing([join(folder, 'kheaders.tar.xz')], { home, cwd })).toExitWith(0);
    const { sha256 } = imported(await importing(['--from-pack', folder], { home, cwd }));
    await writeFile(join(home, 'v1/archives', `${sha256}.tar.xz`), 'no archive');
    const mend = `kh import --from-pack ${folder} --force`;
    const found = await kh([what, 'verify'], { home });
    expect(found).toExitWith(11);
    expect(found.stdout + found.stderr).toContain(mend);
    expect(await kh(mend.split(' ').slice(1), { home })).toExitWith(0);
    expect(await kh([what, 'verify'], { home })).toExitWith(0);
  });

  it('is told to a build with the command that brings it back, and no word of a device', async () => {
    const { home, cwd, folder, build } = await packed();
    await importing(['--from-pack', folder], { home, cwd });
    const [tree = ''] = (await storeTrees(home)).filter((name) =>
      existsSync(join(home, 'v1/trees', name, 'include/generated/utsrelease.h')),
    );
    await rename(join(home, 'v1/trees', tree), join(cwd, 'moved'));
    const built = () => kh(['build-module', build, '--kernel', RELEASE, '--json'], { home, cwd });
    const run = await built();
    expect(run).toExitWith(11);
    const { message, hint = '' } = errorOf(run);
    expect(message).toMatch(/the headers of .* are damaged, or gone/);
    expect(hint).toContain(`kh import --from-pack ${folder} --force`);
    expect(hint).toContain('kh store verify --repair');
    expect(await kh(['store', 'verify', '--repair'], { home })).toExitWith(0);
    expect(errorOf(await built()).message).not.toMatch(/damaged, or gone/);
  });
});
