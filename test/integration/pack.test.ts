import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackedHeaders } from '../../src/app/pack-headers';
import { fakeKernelBuild } from '../support/fake-kernel-build';
import { kh } from '../support/kh';
import { tempFolder } from '../support/temp-folder';

async function setUp() {
  const root = await tempFolder();
  return { root, ...(await fakeKernelBuild(root)), env: { SOURCE_DATE_EPOCH: '1767225600' } };
}

const resultOf = (document: unknown) => (document as { result: PackedHeaders }).result;

describe('kh pack', () => {
  it('writes the archive and its digests into the folder it is in, and prints the path', async () => {
    const { root, build, env } = await setUp();
    const run = await kh(['pack', build], { cwd: root, env });
    expect(run).toExitWith(0);
    expect(run.stdout).toBe(`${join(root, 'kheaders.tar.xz')}\n`);
    expect(await readFile(join(root, 'kheaders.md5'), 'utf8')).toMatch(/^([0-9a-f]{32}\n){3}$/);
  });

  it('gives the same bytes again elsewhere, and says where nothing had changed', async () => {
    const { root, build, env } = await setUp();
    const packTo = async (folder: string) =>
      resultOf((await kh(['pack', build, '-o', join(root, folder), '--json'], { env })).json());
    const first = await packTo('one');
    expect(first).toMatchObject({
      release: '6.12.3-fake',
      arch: 'arm64',
      unchanged: false,
      timestamp: 1767225600,
    });
    expect(await packTo('one')).toMatchObject({ unchanged: true, sha256: first.sha256 });
    expect(await packTo('two')).toMatchObject({ unchanged: false, sha256: first.sha256 });
  });

  it('takes the time of the environment that kernel builds take', async () => {
    const { root, build, env } = await setUp();
    const times = { ...env, KBUILD_BUILD_TIMESTAMP: 'Thu Jan  1 00:00:01 UTC 1970' };
    const run = await kh(['pack', build, '-o', root, '--json'], { env: times });
    expect(resultOf(run.json())).toMatchObject({ timestamp: 1 });
  });

  it('adds the archive to a manifest that is made for it, and to no other form', async () => {
    const { root, build, env } = await setUp();
    const manifest = join(root, 'lab.json');
    expect(await kh(['pack', build, '-o', root, '--manifest', manifest], { env })).toExitWith(0);
    const shown = await kh(['manifest', 'show', manifest]);
    expect(shown.stdout).toMatch(/6\.12\.3-fake/);
    await writeFile(manifest, `${'1'.repeat(32)}  kheaders.tar.xz\n`);
    const refused = await kh(['pack', build, '-o', root, '--manifest', manifest], { env });
    expect(refused).toExitWith(6);
  });

  it('needs no home, as build machines often have none, but for a manifest', async () => {
    const { root, build, env } = await setUp();
    const home = '/proc/self/home';
    expect(await kh(['pack', build, '-o', root], { env, home })).toExitWith(0);
    const listed = await kh(['pack', build, '-o', root, '--manifest', join(root, 'lab.json')], { env, home });
    expect(listed).toExitWith(11);
  });

  it('says what is wrong with a folder that holds no build', async () => {
    const run = await kh(['pack', await tempFolder()]);
    expect(run).toExitWith(2);
    expect(run.stderr).toMatch(
      /no kernel build, or none that was prepared: it has no include\/generated\/autoconf\.h/,
    );
    expect(run.stderr).toMatch(/modules_prepare/);
  });
});
