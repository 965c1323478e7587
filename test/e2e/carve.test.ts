import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { kernelWithHeaders } from '../../fixtures/images/kernel-with-headers';
import { arm64Image, bootImage } from '../../fixtures/images/make-images';
import type { ImportedHeaders } from '../../src/app/import-headers';
import { bufferSource } from '../../src/core/byte-source';
import { findSymbols } from '../../src/kbuild/elf/find-symbols';
import { parseSymvers } from '../../src/kbuild/symvers/symvers-file';
import { kh } from '../support/kh';
import { tempFolder } from '../support/temp-folder';
import { archiveMd5, describeOnRig, manifestOf, type KernelName } from './support/rig';

const kernelFile = (kernel: KernelName, name: string) =>
  join(process.env['KH_RIG'] ?? '', 'kernels', kernel, name);
const kernelImage = (kernel: KernelName) =>
  readFileSync(kernelFile(kernel, kernel === 'x86_64-6.1' ? 'bzImage' : 'Image.gz'));
const headersModule = () => readFileSync(kernelFile('arm64-6.12', 'system_dlkm/kheaders.ko'));
const BUILT_IN: KernelName[] = ['arm64-6.1', 'x86_64-6.1'];

/** The md5 of what `kh carve` writes. */
async function carvedMd5(image: Buffer): Promise<string> {
  const cwd = await tempFolder();
  writeFileSync(join(cwd, 'image'), image);
  const run = await kh(['carve', 'image', '-o', 'kheaders.tar.xz'], { cwd });
  expect(run).toExitWith(0);
  return createHash('md5')
    .update(readFileSync(join(cwd, 'kheaders.tar.xz')))
    .digest('hex');
}

describeOnRig('kh carve of what real kernel builds made', () => {
  describe.each(BUILT_IN)('%s', (kernel) => {
    it('gives the archive of the build', async () => {
      expect(await carvedMd5(kernelImage(kernel))).toBe(archiveMd5(kernel));
    });

    it.each([0, 1, 2, 3, 4])('gives it out of a boot image of header version %d', async (version) => {
      expect(await carvedMd5(bootImage(version, kernelImage(kernel)))).toBe(archiveMd5(kernel));
    });

    it('gives its configuration and its exported symbols as the build left them', async () => {
      const cwd = await tempFolder();
      writeFileSync(join(cwd, 'image'), kernelImage(kernel));
      const run = await kh(['carve', 'image', '-o', 'out/', '--json'], { cwd });
      expect(run).toExitWith(0);
      const { written } = (run.json() as { result: { written: { what: string; path: string }[] } }).result;
      const textOf = (part: string) =>
        readFileSync(written.find(({ what }) => what === part)?.path ?? '', 'utf8');
      expect(textOf('config')).toBe(readFileSync(kernelFile(kernel, 'config'), 'utf8'));
      const built = gunzipSync(readFileSync(kernelFile(kernel, 'Module.symvers.gz'))).toString();
      const byName = (one: { name: string }, other: { name: string }) => (one.name < other.name ? -1 : 1);
      const own = parseSymvers(built, 'built').filter(({ module }) => module === 'vmlinux');
      expect(parseSymvers(textOf('symvers'), 'carved').sort(byName)).toEqual(own.sort(byName));
    });
  });

  it('makes a workspace of a kernel alone, sound and with all that a build needs', async () => {
    const home = join(await tempFolder(), 'home');
    const words = ['--manifest', manifestOf('arm64-6.1'), '--require-manifest'];
    const run = await kh(
      ['import', '--from-carve', kernelFile('arm64-6.1', 'Image.gz'), ...words, '--json'],
      { home },
    );
    expect(run).toExitWith(0);
    const { result } = run.json() as { result: ImportedHeaders };
    expect(result).toMatchObject({
      md5: archiveMd5('arm64-6.1'),
      config: true,
      verdict: { trust: 'trusted' },
    });
    expect(result.symbols).toBeGreaterThan(5000);
    expect(await kh(['workspace', 'verify'], { home })).toExitWith(0);
  });

  it.each(['none', 'xz', 'gzip', 'zstd'])(
    'gives the archive out of kheaders.ko, packed with %s',
    async (packer) => {
      const module = headersModule();
      const packed =
        packer === 'none' ? module : spawnSync(packer, ['-c'], { input: module, maxBuffer: 1 << 26 }).stdout;
      expect(await carvedMd5(packed)).toBe(archiveMd5('arm64-6.12'));
    },
  );

  it('gives it out of a kernel with the markers of the first kernels that had one', async () => {
    const module = headersModule();
    const symbols = await findSymbols(bufferSource(module), [
      'kernel_headers_data',
      'kernel_headers_data_end',
    ]);
    const [start, end] = symbols.map(({ offset }) => offset).sort((one, other) => one - other);
    const archive = module.subarray(start, end);
    const early = arm64Image(kernelWithHeaders({ archive, release: '4.19.0', markers: true }));
    expect(await carvedMd5(early)).toBe(archiveMd5('arm64-6.12'));
  });

  it('says of a kernel without them that they are in kheaders.ko', async () => {
    const run = await kh(['carve', kernelFile('arm64-6.12', 'Image.gz')]);
    expect(run).toExitWith(5);
    expect(run.stderr).toContain('kheaders.ko');
  });
});
