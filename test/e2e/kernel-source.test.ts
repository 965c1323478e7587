import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BuildResult } from '../../src/app/build-and-load';
import { readElf } from '../../src/kbuild/elf/elf-file';
import { kh, type KhRun } from '../support/kh';
import { tempFolder } from '../support/temp-folder';
import { bootGuest, describeOnRig, stopAdbServer, type Guest } from './support/rig';

const FIXTURES = resolve(__dirname, '../../fixtures/modules');
const MODULES = ['hello', 'static_keys', 'traceable', 'events', 'composite'];

/** The preparation runs the source's own build: minutes, on a machine that is busy. */
const PATIENCE = 900_000;

const tree = process.env['KH_KERNEL_SOURCE'];
const why =
  tree === undefined
    ? 'KH_KERNEL_SOURCE does not name a source of Linux 6.1'
    : existsSync(join(tree, 'MAINTAINERS'))
      ? undefined
      : `KH_KERNEL_SOURCE names ${tree}, which is no source of a kernel`;

/** No CI machine has the source: there too, its absence leaves these tests out and is no failure. */
const describeWithSource = why === undefined ? describeOnRig : describe.skip;
if (why !== undefined) process.stderr.write(`tests with a kernel's source are left out: ${why}\n`);

afterAll(stopAdbServer);

describe.each(['arm64-6.1', 'x86_64-6.1'] as const)('with the source of its kernel, on %s', (kernel) => {
  describeWithSource('kh build-module', () => {
    let guest: Guest;
    let home: string;
    beforeAll(async () => {
      home = await tempFolder();
      guest = await bootGuest({ kernel });
    });
    afterAll(() => guest[Symbol.asyncDispose]());

    const run = (...args: string[]): Promise<KhRun> => {
      const env = { ...guest.env, ANDROID_SERIAL: guest.serial };
      return kh([...args, '--json'], { home, env, timeoutMs: PATIENCE });
    };
    const build = async (folder: string): Promise<BuildResult & { said: string }> => {
      const source = join(FIXTURES, folder);
      const done = await run('build-module', source, '--kernel-source', tree ?? '', '--load');
      expect(done).toExitWith(0);
      const { devices } = done.json() as { devices: { result: BuildResult }[] };
      return { ...devices[0]!.result, said: done.stderr };
    };
    const shell = (command: string): Promise<string> => guest.adb('shell', command);

    it(
      'has that build modules which the kernel takes, after preparing it once',
      async () => {
        const said = [];
        for (const folder of MODULES) said.push((await build(folder)).said);
        expect(said.filter((text) => text.includes('preparing '))).toEqual([said[0]]);
        const loaded = await shell('cat /proc/modules');
        for (const name of ['hello', 'kh_static_keys', 'kh_traceable', 'kh_events', 'composite'])
          expect(loaded).toMatch(new RegExp(`^${name} `, 'm'));
        expect(await shell('dmesg')).not.toMatch(/Oops|BUG:|CFI failure|disagrees about version/);
      },
      PATIENCE,
    );

    it('gives static keys that are what they say, and can be toggled', async () => {
      const branches = '/sys/module/kh_static_keys/parameters/branches';
      const read = async () => (await shell(`cat ${branches}`)).trim();
      expect(await read()).toBe('0101');
      await shell(`echo 1 >${branches}`);
      expect(await read()).toBe('1111');
    });

    it('gives functions that ftrace traces, on x86_64 by way of objtool', async () => {
      const filter = '/sys/kernel/debug/tracing/available_filter_functions';
      expect(await shell(`grep -c kh_traceable_work ${filter}`)).toBe('1\n');
    });

    it(
      'builds the same again without a compiler, and writes nothing into the folder',
      async () => {
        const folder = join(FIXTURES, 'hello');
        const before = readdirSync(folder);
        await run('unload-module', 'hello');
        const { said, modules } = await build('hello');
        expect(said).not.toMatch(/^ {2}(?:CC|LD) /m);
        expect(readdirSync(folder)).toEqual(before);
        const { path } = modules[0]!;
        expect(readElf(readFileSync(path), path).section('__versions')?.size).toBeGreaterThan(0);
      },
      PATIENCE,
    );

    it('refuses the source for a kernel of another version', async () => {
      const other = await tempFolder();
      writeFileSync(join(other, 'Kconfig'), '');
      writeFileSync(join(other, 'Makefile'), 'VERSION = 5\nPATCHLEVEL = 15\nSUBLEVEL = 7\n');
      const done = await run('build-module', join(FIXTURES, 'hello'), '--kernel-source', other);
      expect(done).toExitWith(8);
      expect(done.stderr).toMatch(/the source of Linux 5\.15\.7, and the kernel that runs is 6\.1\.192/);
    });
  });
});
