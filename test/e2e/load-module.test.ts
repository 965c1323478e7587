import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readElf } from '../../src/kbuild/elf/elf-file';
import type { LoadedModule } from '../../src/app/load-module';
import type { ErrorReport } from '../../src/core/errors';
import { kh, type KhRun } from '../support/kh';
import { tempFolder } from '../support/temp-folder';
import { bootGuest, describeOnRig, stopAdbServer, vendorModule, type Guest } from './support/rig';

afterAll(stopAdbServer);

const RELEASE = /6\.12\.\d+-android16/;

const modules = (guest: Guest) => guest.adb('shell', 'cat /proc/modules');
const leftOnDevice = (guest: Guest) => guest.adb('shell', 'ls /data/local/tmp');
const ko = (file: string) => vendorModule('arm64-6.12', file);

function run(guest: Guest, ...args: string[]): Promise<KhRun> {
  return kh([...args, '-s', guest.serial, '--json'], { env: guest.env });
}

function outcome(result: KhRun): { result: LoadedModule; error: ErrorReport } {
  return (result.json() as { devices: { result: LoadedModule; error: ErrorReport }[] }).devices[0]!;
}

/** A copy of a module in which some bytes are others. @returns its path */
async function changedModule(file: string, change: (bytes: Buffer) => void): Promise<string> {
  const bytes = readFileSync(ko(file));
  change(bytes);
  const path = join(await tempFolder(), file);
  writeFileSync(path, bytes);
  return path;
}

/** Hides the checksums: the loader knows their section by its name alone. */
function withoutChecksums(bytes: Buffer): void {
  for (let at = bytes.indexOf('__versions\0'); at >= 0; at = bytes.indexOf('__versions\0', at)) {
    bytes.write('__nothings', at);
  }
}

/** kCFI keeps a function's type in the four bytes before it: another type, and calling it is a crash. */
function withoutInitType(bytes: Buffer): void {
  const init = readElf(bytes, 'dummy.ko').symbols.find(({ name }) => name === 'init_module');
  bytes.writeUInt32LE(0, init!.section!.offset + init!.value - 4);
}

describeOnRig('a kernel that these modules were built for', () => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await bootGuest({ kernel: 'arm64-6.12', user: 'shell' });
  });
  afterAll(() => guest[Symbol.asyncDispose]());
  afterEach(async () => expect(await leftOnDevice(guest)).toBe(''));

  it('loads one with its parameters, once, and unloads it', async () => {
    const loaded = await run(guest, 'load-module', ko('dummy.ko'), 'numdummies=2');
    expect(loaded).toExitWith(0);
    expect(outcome(loaded).result).toMatchObject({
      module: 'dummy',
      privilege: 'su',
      log: [{ kind: 'note', text: expect.stringMatching(/^dummy: module verification failed/) as string }],
    });
    expect(await modules(guest)).toMatch(/^dummy /);
    expect(await guest.adb('shell', 'ls -d /sys/class/net/dummy1')).toContain('dummy1');

    const again = await run(guest, 'load-module', ko('dummy.ko'));
    expect(again).toExitWith(8);
    expect(outcome(again).error.code).toBe('MODULE_LOADED');

    expect(await run(guest, 'unload-module', 'dummy')).toExitWith(0);
    expect(await modules(guest)).toBe('');
    const gone = await run(guest, 'unload-module', 'dummy');
    expect(gone).toExitWith(8);
    expect(outcome(gone).error.code).toBe('MODULE_NOT_LOADED');
  });

  it('says of a parameter that there is none such, and of a value that it is none', async () => {
    const unknown = await run(guest, 'load-module', ko('dummy.ko'), 'numdumies=2');
    expect(unknown).toExitWith(0);
    expect(outcome(unknown).result.log).toContainEqual(
      expect.objectContaining({ kind: 'note', text: "dummy: unknown parameter 'numdumies' ignored" }),
    );
    expect(await run(guest, 'unload-module', 'dummy')).toExitWith(0);

    const wrong = await run(guest, 'load-module', ko('dummy.ko'), 'numdummies=two words');
    expect(wrong).toExitWith(8);
    expect(outcome(wrong).error).toMatchObject({
      code: 'MODULE_REFUSED',
      message: expect.stringContaining("`two words' invalid for parameter `numdummies'") as string,
    });
    expect(await modules(guest)).toBe('');
  });

  it('names the module that has to be loaded first, and the one that holds another', async () => {
    const early = await run(guest, 'load-module', ko('stp.ko'));
    expect(early).toExitWith(8);
    expect(outcome(early).error).toMatchObject({
      code: 'MODULE_REFUSED',
      message: expect.stringMatching(/stp: Unknown symbol llc_\w+ \(err -2\)$/) as string,
      hint: 'It needs llc, which is not loaded: load that first.',
    });
    expect(await run(guest, 'load-module', ko('llc.ko'))).toExitWith(0);
    expect(await run(guest, 'load-module', ko('stp.ko'))).toExitWith(0);
    const held = await run(guest, 'unload-module', 'llc');
    expect(held).toExitWith(8);
    expect(outcome(held).error).toMatchObject({ code: 'MODULE_IN_USE', details: { users: ['stp'] } });
    expect(await run(guest, 'unload-module', 'stp')).toExitWith(0);
    expect(await run(guest, 'unload-module', 'llc')).toExitWith(0);
  });

  it('says in which settings the version magic of a module differs', async () => {
    const path = await changedModule('dummy.ko', (bytes) => {
      bytes.write('PREEMPT', bytes.indexOf('preempt mod_unload'));
    });
    const refused = await run(guest, 'load-module', path);
    expect(refused).toExitWith(8);
    expect(outcome(refused).error).toMatchObject({
      message: expect.stringMatching(/dummy: version magic '.* PREEMPT .*' should be '.* preempt /) as string,
      hint: expect.stringMatching(/^It was built without preempt, and with PREEMPT\. Build it/) as string,
    });
  });

  it('keeps a module that a process has open', async () => {
    expect(await run(guest, 'load-module', ko('tun.ko'))).toExitWith(0);
    const reader = guest.adb('shell', 'su 0 sh -c "sleep 5 <>/dev/net/tun"');
    await guest.adb('shell', 'until grep -q "^tun [0-9]* [1-9]" /proc/modules; do sleep 0.1; done');
    const held = await run(guest, 'unload-module', 'tun');
    expect(held).toExitWith(8);
    expect(outcome(held).error).toMatchObject({
      code: 'MODULE_IN_USE',
      message: expect.stringMatching(/in use by \d users? that the kernel does not name$/) as string,
    });
    await reader;
    expect(await run(guest, 'unload-module', 'tun')).toExitWith(0);
  });
});

describeOnRig('a kernel that these modules were not built for', () => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await bootGuest({ kernel: 'arm64-6.1' });
  });
  afterAll(() => guest[Symbol.asyncDispose]());

  it('refuses them by their checksums, and kh says which kernel they are for', async () => {
    const refused = await run(guest, 'load-module', ko('dummy.ko'));
    expect(refused).toExitWith(8);
    expect(outcome(refused).error).toMatchObject({
      code: 'MODULE_REFUSED',
      message: expect.stringContaining('dummy: disagrees about version of symbol module_layout') as string,
      hint: expect.stringMatching(RELEASE) as string,
    });
    expect(await leftOnDevice(guest)).toBe('');
  });

  it('refuses one without checksums without a word, and kh still says which kernel it is for', async () => {
    const path = await changedModule('dummy.ko', withoutChecksums);
    const refused = await run(guest, 'load-module', path);
    expect(refused).toExitWith(8);
    expect(outcome(refused).error).toMatchObject({
      message: expect.stringMatching(/dummy\.ko: Exec format error$/) as string,
      hint: expect.stringMatching(RELEASE) as string,
      details: { log: [] },
    });
    expect(await leftOnDevice(guest)).toBe('');
  });
});

describeOnRig('a module whose code goes wrong inside the kernel', () => {
  it('is called crashed, with what kCFI found, and leaves no file', async () => {
    await using guest = await bootGuest({ kernel: 'arm64-6.12' });
    const path = await changedModule('dummy.ko', withoutInitType);
    const crashed = await run(guest, 'load-module', path);
    expect(crashed).toExitWith(8);
    expect(outcome(crashed).error).toMatchObject({
      code: 'MODULE_CRASHED',
      message: expect.stringContaining('CFI failure at do_one_initcall') as string,
      hint: expect.stringContaining('-fsanitize=kcfi') as string,
    });
    expect(await leftOnDevice(guest)).toBe('');
  });

  it('may take the device with it, which is then lost', async () => {
    await using guest = await bootGuest({ kernel: 'arm64-6.12' });
    await guest.adb('shell', 'echo 1 >/proc/sys/kernel/panic_on_oops');
    const path = await changedModule('dummy.ko', withoutInitType);
    const lost = await run(guest, 'load-module', path);
    expect(lost).toExitWith(4);
    expect(outcome(lost).error).toMatchObject({
      code: 'DEVICE_LOST',
      message: expect.stringContaining('the kernel may have panicked') as string,
      hint: expect.stringContaining('/sys/fs/pstore') as string,
    });
  });
});
