import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleExports } from '../../../fixtures/images/make-images';
import { kernelOf, selectKernel } from '../../../src/app/kernel-workspace';
import { pullHeaders } from '../../../src/app/pull-headers';
import { recoverSymvers, type SymversOptions } from '../../../src/app/recover-symvers';
import { keepReadings, readReadings } from '../../../src/app/symvers-readings';
import { formatSymvers } from '../../../src/kbuild/symvers/symvers-file';
import type { Simulator } from '../../../src/simulator/simulator';
import { pixel, startLab } from '../../support/lab';
import { tempFolder } from '../../support/temp-folder';
import { bootFiles, contextOf, imageOf, onDevice, RELEASE, VERSION } from './kernels';

const PULL = { privilege: 'auto', requireManifest: false, force: false } as const;
const OPTIONS: SymversOptions = { privilege: 'auto', force: false };
const SYMBOLS = sampleExports().length;

function phone(image = imageOf()) {
  return pixel({
    user: 'root',
    kernel: { release: RELEASE, version: VERSION },
    files: bootFiles(image),
  });
}

function recover(lab: Simulator, home: string, options: Partial<SymversOptions> = {}) {
  return onDevice(lab, home, 'PIXEL', async (device, context) => {
    const kernel = await pullHeaders(device, PULL, context);
    return recoverSymvers({ kernel, device }, { ...OPTIONS, ...options }, context);
  });
}

async function recoverHere(home: string, options: Partial<SymversOptions> = {}) {
  const context = await contextOf(home);
  const kernel = kernelOf(await selectKernel(context.store, { kernel: RELEASE, serials: [] }, context.emit));
  return recoverSymvers({ kernel }, { ...OPTIONS, ...options }, context);
}

async function files() {
  const folder = await tempFolder();
  const put = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const listed = sampleExports().map((entry) => ({ ...entry, module: 'vmlinux' }));
  return {
    home: join(folder, 'home'),
    symversPath: put('Module.symvers', formatSymvers(listed)),
    wrongSymvers: put('wrong.symvers', formatSymvers(listed.map((entry) => ({ ...entry, crc: 1 })))),
    put,
  };
}

describe('recoverSymvers with a device', () => {
  it('reads the boot partition once for each kernel, whatever files are named later', async () => {
    const { home, symversPath } = await files();
    const lab = await startLab({ devices: [phone()] });
    const first = await recover(lab, home, { symversPath });
    expect(first).toMatchObject({ symbols: SYMBOLS, kept: false, dropped: [] });
    const asked = { ...lab.device('PIXEL').counters.services };
    const sent = lab.device('PIXEL').counters.bytesSent;
    expect(await recover(lab, home, { symversPath })).toMatchObject({ symbols: SYMBOLS, kept: false });
    const { counters } = lab.device('PIXEL');
    expect(counters.bytesSent - sent).toBeLessThan(4096);
    expect((counters.services['shell'] ?? 0) - (asked['shell'] ?? 0)).toBeLessThan(2);
  });

  it('still checks a named file against the image that it read before', async () => {
    const { home, wrongSymvers } = await files();
    const lab = await startLab({ devices: [phone()] });
    await recover(lab, home);
    await expect(recover(lab, home, { symversPath: wrongSymvers })).rejects.toMatchObject({
      code: 'BUILD_BAD_SYMVERS',
    });
  });

  it('leaves a Module.symvers alone that would stay as it is, so that make has nothing to do', async () => {
    const { home, symversPath } = await files();
    const lab = await startLab({ devices: [phone()] });
    const { path } = await recover(lab, home, { symversPath });
    const { mtimeMs, ino } = statSync(path);
    await recover(lab, home, { symversPath });
    expect(statSync(path)).toMatchObject({ mtimeMs, ino });
  });

  it('does not take another build of the same release for the kernel that runs', async () => {
    const { home, symversPath } = await files();
    const flashed = imageOf({ version: '#2 SMP PREEMPT Fri Aug  8 10:00:00 UTC 2025' });
    const lab = await startLab({ devices: [phone(flashed)] });
    const { sources, notes } = await recover(lab, home, { symversPath });
    expect(sources).toEqual([{ name: symversPath, symbols: SYMBOLS }]);
    expect(notes[0]).toMatch(/holds another kernel than .* it has the name ".*#2 SMP/);
  });

  it('keeps what the device’s modules told besides, for the check of what is built', async () => {
    const { home, symversPath } = await files();
    const lab = await startLab({ devices: [phone()] });
    await recover(lab, home, { symversPath });
    const { store, emit } = await contextOf(home);
    const kernel = kernelOf(await selectKernel(store, { kernel: RELEASE, serials: [] }, emit));
    const modules = { sources: [], notes: ['one was not read'], thisModuleSize: 832 };
    await keepReadings(store, kernel, { ...(await readReadings(kernel)), modules });
    expect((await readReadings(kernel)).modules).toEqual(modules);
  });

  it('reads again what is of a kernel that was built again', async () => {
    const { home } = await files();
    const lab = await startLab({ devices: [phone()] });
    await recover(lab, home);
    const version = '#2 SMP PREEMPT Fri Aug  8 10:00:00 UTC 2025';
    const exports = sampleExports().map((entry) => ({ ...entry, crc: ((entry.crc ?? 0) ^ 1) >>> 0 }));
    const rebuilt = pixel({
      user: 'root',
      kernel: { release: RELEASE, version },
      files: bootFiles(imageOf({ version, listed: exports })),
    });
    const again = await startLab({ devices: [rebuilt] });
    const { path, kept } = await recover(again, home);
    expect(kept).toBe(false);
    const lines = (text: string) => text.split('\n').sort();
    const built = formatSymvers(exports.map((entry) => ({ ...entry, module: 'vmlinux' })));
    expect(lines(readFileSync(path, 'utf8'))).toEqual(lines(built));
  });
});

describe('recoverSymvers without a device', () => {
  async function pulled() {
    const given = await files();
    const lab = await startLab({ devices: [pixel({ kernel: { release: RELEASE, version: VERSION } })] });
    await onDevice(lab, given.home, 'PIXEL', (device, context) => pullHeaders(device, PULL, context));
    return given;
  }

  it('names the three ways that remain where nothing is known', async () => {
    const { home } = await pulled();
    await expect(recoverHere(home)).rejects.toMatchObject({
      code: 'SYMVERS_UNAVAILABLE',
      hint: expect.stringMatching(/kh symvers.*--boot-image.*--symvers/) as string,
    });
  });

  it('takes a named file, and says that nothing was there to check it against', async () => {
    const { home, symversPath } = await pulled();
    const { symbols, notes } = await recoverHere(home, { symversPath });
    expect(symbols).toBe(SYMBOLS);
    expect(notes).toEqual([expect.stringContaining('is not checked')]);
    expect(await recoverHere(home)).toMatchObject({ kept: true, symbols: SYMBOLS });
  });

  it('takes the image of the kernel, and checks named files against it from then on', async () => {
    const { home, put, symversPath, wrongSymvers } = await pulled();
    const bootImagePath = put('Image', imageOf());
    expect(await recoverHere(home, { bootImagePath })).toMatchObject({
      sources: [{ name: bootImagePath, symbols: SYMBOLS }],
      notes: [],
    });
    await expect(recoverHere(home, { symversPath: wrongSymvers })).rejects.toMatchObject({
      code: 'BUILD_BAD_SYMVERS',
    });
    expect(await recoverHere(home, { symversPath })).toMatchObject({ notes: [] });
  });

  it.each([
    ['another release', { release: '6.1.99-other' }],
    ['another build', { version: '#2 SMP PREEMPT' }],
  ])('refuses an image of %s', async (_, other) => {
    const { home, put } = await pulled();
    const bootImagePath = put('Image', imageOf(other));
    await expect(recoverHere(home, { bootImagePath })).rejects.toMatchObject({ code: 'BUILD_BAD_IMAGE' });
  });

  it('passes over what was kept and is damaged', async () => {
    const { home, put, symversPath } = await pulled();
    const { path } = await recoverHere(home, { bootImagePath: put('Image', imageOf()) });
    for (const name of ['symvers-readings.json', 'symvers.json']) {
      writeFileSync(join(path, '..', name), '{"readings":1,"image":');
    }
    const { notes } = await recoverHere(home, { symversPath });
    expect(notes).toEqual([expect.stringContaining('is not checked')]);
  });
});
