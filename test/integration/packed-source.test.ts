import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fakeBuildSource } from '../support/fake-build-source';
import { writeHeaders } from '../support/fake-headers';
import { fakeKernelBuild, writeFiles } from '../support/fake-kernel-build';
import { fakeKernelSource } from '../support/fake-kernel-source';
import { kh } from '../support/kh';
import { errorOf } from '../support/pull';
import { tempFolder } from '../support/temp-folder';

const RELEASE = '6.1.75-test';

/** A kernel build whose source prepares itself, and an empty store. */
async function given() {
  const cwd = await tempFolder();
  const { source, build } = await fakeKernelBuild(cwd, { release: RELEASE });
  await fakeBuildSource(source);
  const { bin } = await fakeKernelSource(cwd);
  await writeHeaders(build, { options: { ARM64: 'y', SMP: 'y', LOCALVERSION: '-test' } });
  // The source's headers make a folder a source.
  await rm(join(build, 'include/linux'), { recursive: true });
  await writeFiles(source, { 'include/linux/compiler-version.h': '', 'include/linux/compiler_types.h': '' });
  await writeFile(
    join(build, '.config'),
    'CONFIG_ARM64=y\nCONFIG_SMP=y\nCONFIG_LOCALVERSION="-test"\nCONFIG_MODULES=y\n',
  );
  await rm(join(source, 'include/dt-bindings/clock/far.h'));
  await rm(Buffer.concat([Buffer.from(join(source, 'include/linux/caf')), Buffer.from([0xe9, 0x2e, 0x68])]));
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  return { cwd, home: join(cwd, 'home'), build, source, env };
}

const environment = (options: Awaited<ReturnType<typeof given>>, kernelSource = 'packed') =>
  kh(['env', '--kernel-source', kernelSource, '--json'], options);

describe('--kernel-source packed', () => {
  it('prepares the build files that came with the headers, where no source is', async () => {
    const place = await given();
    expect(await kh(['import', '--from-pack', place.build], place)).toExitWith(0);
    await rm(place.source, { recursive: true });
    await rm(place.build, { recursive: true });
    const run = await environment(place);
    expect(run).toExitWith(0);
    const { KDIR } = (run.json() as { result: { KDIR: string } }).result;
    expect(await readFile(join(KDIR, 'prepared'), 'utf8')).toBe('CC=clang-16 ARCH=arm64\n');
    expect(await readFile(join(KDIR, 'include/config/kernel.release'), 'utf8')).toBe(`${RELEASE}\n`);
    expect(await kh(['store', 'verify'], place)).toExitWith(0);
  });

  it('prepares them once, from whatever folder it is asked for', async () => {
    const place = await given();
    await kh(['import', '--from-pack', place.build], place);
    const first = await environment(place);
    const again = await environment({ ...place, cwd: place.build });
    expect(again.json()).toEqual(first.json());
    const { KDIR } = (first.json() as { result: { KDIR: string } }).result;
    expect((await readFile(join(KDIR, 'prepared'), 'utf8')).trim().split('\n')).toHaveLength(1);
  });

  it('says how to get them where none came', async () => {
    const place = await given();
    expect(await kh(['pack', place.build, '-o', 'packed-headers'], place)).toExitWith(0);
    await kh(['import', '--from-pack', 'packed-headers'], place);
    const run = await environment(place);
    expect(run).toExitWith(8);
    expect(errorOf(run)).toMatchObject({ code: 'BUILD_BAD_SOURCE' });
    expect(errorOf(run).hint).toMatch(/kh pack BUILD --full/);
    expect((await environment(place, './packed')).stderr).not.toMatch(/build files/);
  });

  it('names the sources that were missing where it was packed', async () => {
    const place = await given();
    await rm(join(place.source, 'scripts/basic/fixdep.c'));
    await kh(['import', '--from-pack', place.build], place);
    const run = await environment(place);
    expect(run).toExitWith(8);
    expect(errorOf(run).message).toMatch(/lacked scripts\/basic\/fixdep\.c/);
  });

  it('refuses build files that were removed from the store', async () => {
    const place = await given();
    const run = await kh(['import', '--from-pack', place.build, '--json'], place);
    const { sha256 } = (run.json() as { result: { kernelBuild: { sha256: string } } }).result.kernelBuild;
    await rm(join(place.home, 'v1/trees', sha256, 'scripts'), { recursive: true });
    expect(errorOf(await environment(place)).code).toBe('STORE_DAMAGED');
    expect(await kh(['store', 'verify', '--repair'], place)).toExitWith(0);
    expect(await environment(place)).toExitWith(0);
  });
});
