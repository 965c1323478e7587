import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BuildResult } from '../../src/app/build-and-load';
import type { ImportedHeaders } from '../../src/app/import-headers';
import { kh } from '../support/kh';
import { tempFolder } from '../support/temp-folder';
import { bootGuest, describeOnRig, stopAdbServer, type KernelName } from './support/rig';

const HELLO = resolve(__dirname, '../../fixtures/modules/hello');

/** Packing and the preparation of what was packed: minutes, on a machine that is busy. */
const PATIENCE = 900_000;

const build = process.env['KH_KERNEL_BUILD'];
const kernel = process.env['KH_KERNEL_BUILD_OF'];
const isThere = build !== undefined && kernel !== undefined && existsSync(join(build, 'Module.symvers'));

/** No CI machine has such a build: there too, its absence leaves these tests out and is no failure. */
const describeWithBuild = isThere ? describeOnRig : describe.skip;
if (!isThere)
  process.stderr.write(
    'tests with a pack are left out: KH_KERNEL_BUILD and KH_KERNEL_BUILD_OF name no build of a kernel of the rig\n',
  );

afterAll(stopAdbServer);

describeWithBuild('the pack of a kernel build', () => {
  it(
    'is all that modules take which its kernel loads, with its own build files or without',
    async () => {
      const home = await tempFolder();
      const run = (...words: string[]) => kh([...words, '--json'], { home, timeoutMs: PATIENCE });
      const imported = await run('import', '--from-pack', build ?? '');
      expect(imported).toExitWith(0);
      const { release } = (imported.json() as { result: ImportedHeaders }).result;
      await using guest = await bootGuest({ kernel: kernel as KernelName });
      const onGuest = { home, env: { ...guest.env, ANDROID_SERIAL: guest.serial } };
      for (const source of [[], ['--kernel-source', 'packed']]) {
        const built = await run('build-module', HELLO, '--kernel', release, ...source);
        expect(built).toExitWith(0);
        const { modules } = (built.json() as { result: BuildResult }).result;
        expect(await kh(['load-module', modules[0]?.path ?? ''], onGuest)).toExitWith(0);
        expect(await guest.adb('shell', 'dmesg')).toContain('hello: hello, world');
        expect(await kh(['unload-module', 'hello'], onGuest)).toExitWith(0);
      }
      expect(await guest.adb('shell', 'dmesg')).not.toMatch(/Oops|BUG:|CFI failure|disagrees about version/);
    },
    PATIENCE,
  );
});
