import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openFileSource } from '../../src/core/byte-source';
import { readKernel } from '../../src/kbuild/image/kernel-payload';
import { scanExports } from '../../src/kbuild/image/scan-exports';
import { mergeSources, moduleSources } from '../../src/kbuild/symvers/merge-sources';
import { readModuleSymbols } from '../../src/kbuild/symvers/module-exports';
import { formatSymvers, parseSymvers, type SymversEntry } from '../../src/kbuild/symvers/symvers-file';
import { describeOnRig, KERNELS, type KernelName } from './support/rig';

const folderOf = (kernel: KernelName) => join(process.env['KH_RIG'] ?? '', 'kernels', kernel);

/** What the kernel's own build listed. */
function oracle(kernel: KernelName): SymversEntry[] {
  const path = join(folderOf(kernel), 'Module.symvers.gz');
  return parseSymvers(gunzipSync(readFileSync(path)).toString(), path);
}

async function imageExports(kernel: KernelName): Promise<SymversEntry[]> {
  const path = join(folderOf(kernel), kernel.startsWith('x86') ? 'bzImage' : 'Image.gz');
  await using source = await openFileSource(path);
  const { bytes } = await readKernel(source, path, { signal: AbortSignal.timeout(60_000) });
  return scanExports(bytes, path).entries;
}

/** The lines of a Module.symvers, in an order that does not matter. */
function lines(entries: SymversEntry[]): string[] {
  return formatSymvers(entries).split('\n').sort();
}

describeOnRig('the symbols that a kernel image exports', () => {
  it.each(KERNELS.map(({ name }) => name))(
    'are those of the build of %s, in every column',
    async (kernel) => {
      const built = oracle(kernel).filter(({ module }) => module === 'vmlinux');
      expect(built.length).toBeGreaterThan(5000);
      expect(lines(await imageExports(kernel))).toEqual(lines(built));
    },
  );
});

describeOnRig('the symbols that modules on a device tell of', () => {
  const kernel = 'arm64-6.12';
  const modules = () =>
    ['vendor', 'system_dlkm'].flatMap((folder) => {
      const path = join(folderOf(kernel), folder);
      const names = readdirSync(path).map((name) => join(path, name));
      return names.map((name) => readModuleSymbols(readFileSync(name), name));
    });

  it('are exported as their build says, in every column', () => {
    const built = oracle(kernel).filter(({ module }) => module !== 'vmlinux');
    expect(lines(modules().flatMap(({ exports }) => exports))).toEqual(lines(built));
  });

  it('are imported with the CRCs of the build', () => {
    const built = new Map(oracle(kernel).map(({ name, crc }) => [name, crc]));
    const imports = modules().flatMap((module) => [...module.imports]);
    expect(imports.length).toBeGreaterThan(3000);
    expect(imports.filter(([name, crc]) => built.get(name) !== crc)).toEqual([]);
  });

  it("make, with the image, the whole of the build's Module.symvers", async () => {
    const image = { name: 'image', entries: await imageExports(kernel) };
    const { entries, dropped } = mergeSources([image, ...moduleSources(modules())]);
    expect(dropped).toEqual([]);
    expect(lines(entries)).toEqual(lines(oracle(kernel)));
  });

  it('are all left out next to the image of another kernel', async () => {
    const image = { name: 'image', entries: await imageExports('arm64-6.1') };
    const sources = moduleSources(modules());
    const { entries, dropped } = mergeSources([image, ...sources]);
    expect(dropped.map(({ source }) => source)).toEqual(sources.map(({ name }) => name));
    expect(entries).toEqual(image.entries);
  });
});
