import { join, resolve } from 'node:path';
import type { BuildResult } from '../../src/app/build-and-load';
import type { ErrorReport } from '../../src/core/errors';
import { kh, type KhRun } from '../support/kh';
import { tempFolder } from '../support/temp-folder';
import { bootGuest, describeOnRig, KERNELS, stopAdbServer, type Guest } from './support/rig';

const MODULES = resolve(__dirname, '../../fixtures/modules');

/** Each loads alone but the importer, which stands behind the exporter in the build's order. */
const EXPECTED = [
  'hello',
  'composite',
  'kh_static_keys',
  'kh_callbacks',
  'kh_exporter',
  'kh_importer',
  'kh_foreign',
];

function onGuest(guest: Guest, home: string, ...args: string[]): Promise<KhRun> {
  const env = { ...guest.env, ANDROID_SERIAL: guest.serial };
  return kh([...args, '--json'], { home, env, timeoutMs: 170_000 });
}

function onlyOutcome(run: KhRun): { result: BuildResult; error: ErrorReport } {
  return (run.json() as { devices: { result: BuildResult; error: ErrorReport }[] }).devices[0]!;
}

afterAll(stopAdbServer);

describe.each(KERNELS)('modules built for the kernel $name from nothing but its device', ({ name }) => {
  describeOnRig('and loaded there', () => {
    let guest: Guest;
    let home: string;
    let loaded: string[] = [];
    beforeAll(async () => {
      home = await tempFolder();
      guest = await bootGuest({ kernel: name });
    });
    afterAll(() => guest[Symbol.asyncDispose]());

    it('are all taken by the kernel, with nothing amiss in its log', async () => {
      const run = await onGuest(guest, home, 'build-module', MODULES, '--load');
      expect(run).toExitWith(0);
      const { result } = onlyOutcome(run);
      loaded = (result.loaded ?? []).map(({ module }) => module);
      expect(loaded).toEqual(expect.arrayContaining(EXPECTED));
      expect(loaded.length).toBeGreaterThan(20);
      const log = await guest.adb('shell', 'dmesg');
      expect(log).not.toMatch(/Oops|BUG:|CFI failure|disagrees about version/);
    });

    it('have static keys that are what they say, and can be toggled', async () => {
      const branches = '/sys/module/kh_static_keys/parameters/branches';
      const read = async () => (await guest.adb('shell', `cat ${branches}`)).trim();
      expect(await read()).toBe('0101');
      await guest.adb('shell', `echo 1 >${branches}`);
      expect(await read()).toBe('1111');
      await guest.adb('shell', `echo 0 >${branches}`);
      expect(await read()).toBe('0000');
    });

    it('are unloaded again, the last one first', async () => {
      for (const module of loaded.toReversed()) {
        expect(await onGuest(guest, home, 'unload-module', module)).toExitWith(0);
      }
      const left = await guest.adb('shell', 'cat /proc/modules');
      expect(loaded.filter((module) => new RegExp(`^${module} `, 'm').test(left))).toEqual([]);
    });

    it('are built again in no time where nothing changed: make has nothing to do', async () => {
      const run = await onGuest(guest, home, 'build-module', MODULES);
      expect(run).toExitWith(0);
      expect(run.stderr).not.toMatch(/^ {2}(?:CC|LD|MODPOST)/m);
    });
  });
});

describeOnRig('a module that the kernel would refuse', () => {
  let guest: Guest;
  let home: string;
  beforeAll(async () => {
    home = await tempFolder();
    guest = await bootGuest({ kernel: 'arm64-6.1' });
  });
  afterAll(() => guest[Symbol.asyncDispose]());

  it.each([
    ['undefined', /undefined|not exported|no symbol/],
    ['gpl_only', /GPL/],
    ['no_licence', /MODULE_LICENSE/],
    ['no_namespace', /namespace/],
    ['compile_error', /error:/],
  ])('is stopped before a device sees it: %s', async (folder, message) => {
    const run = await onGuest(guest, home, 'build-module', join(MODULES, 'refused', folder), '--load');
    expect(run).toExitWith(8);
    expect(onlyOutcome(run).error.code).toBe('BUILD_FAILED');
    expect(run.stderr).toMatch(message);
    expect(await guest.adb('shell', 'cat /proc/modules')).toBe('');
  });
});
