import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kh } from '../support/kh';
import { stagingLeftovers, storeArchives, storeTrees } from '../support/store-contents';
import { tempFolder } from '../support/temp-folder';
import { onlyDevice, pull } from './support/pull';
import { differencesFromTar } from './support/reference-tree';
import {
  archiveMd5,
  bootGuest,
  describeOnRig,
  KERNELS,
  manifestOf,
  stopAdbServer,
  type Guest,
} from './support/rig';

const RIGHTS = [
  { user: 'root', headers: 'open' },
  { user: 'shell', headers: 'locked' },
] as const;

/** A copy of the kernel's manifest with one digit of the archive's md5 changed. */
function spoiltManifest(path: string, folder: string): string {
  const text = readFileSync(path, 'utf8').trimEnd();
  const last = text.endsWith('0') ? '1' : '0';
  const spoilt = join(folder, 'spoilt.md5');
  writeFileSync(spoilt, `${text.slice(0, -1)}${last}\n`);
  return spoilt;
}

afterAll(stopAdbServer);

describe.each(KERNELS)('on the kernel $name', ({ name, origin }) => {
  describe.each(RIGHTS)('as $user, headers $headers', ({ user, headers }) => {
    describeOnRig.each(['v2', 'v1'] as const)('with adbd features %s', (features) => {
      let guest: Guest;
      let home: string;
      beforeAll(async () => {
        home = await tempFolder();
        guest = await bootGuest({ kernel: name, user, headers, features });
      });
      afterAll(() => guest[Symbol.asyncDispose]());

      it('pulls what the kernel was built with, and leaves the device as it was', async () => {
        const before = await guest.adb('shell', 'cat /proc/modules');
        const run = await pull(guest, home, '--manifest', manifestOf(name));
        expect(run).toExitWith(0);
        const { result } = onlyDevice(run);
        expect(result).toMatchObject({
          md5: archiveMd5(name),
          origin,
          transferred: true,
          verdict: { trust: 'trusted', manifest: { form: 'kheaders.md5' } },
        });
        const archive = join(home, 'v1', 'archives', `${result.sha256}.tar.xz`);
        expect(differencesFromTar(archive, `${result.headers}/`, join(home, 'reference'))).toBe('');
        expect(await guest.adb('shell', 'cat /proc/modules')).toBe(before);
      });

      it('transfers nothing the second time', async () => {
        const run = await pull(guest, home);
        expect(run).toExitWith(0);
        expect(onlyDevice(run).result).toMatchObject({ transferred: false, knownBy: 'same-boot' });
      });

      it('refuses an archive that the manifest does not name, and leaves what was there', async () => {
        const { workspace } = onlyDevice(await pull(guest, home)).result;
        const record = readFileSync(join(workspace, 'workspace.json'), 'utf8');
        const manifest = spoiltManifest(manifestOf(name), home);
        const run = await pull(guest, home, '--force', '--manifest', manifest);
        expect(run).toExitWith(6);
        const { error } = onlyDevice(run);
        expect(error.code).toBe('VERIFY_MANIFEST');
        expect(error.message).toContain(archiveMd5(name));
        expect(error.message).toContain(readFileSync(manifest, 'utf8').trim().split('\n').at(-1));
        expect(readFileSync(join(workspace, 'workspace.json'), 'utf8')).toBe(record);
        expect(await storeTrees(home)).toHaveLength(1);
      });

      it('keeps nothing of an archive that the manifest does not name', async () => {
        const empty = await tempFolder();
        const manifest = spoiltManifest(manifestOf(name), empty);
        const before = await guest.adb('shell', 'cat /proc/modules');
        expect(await pull(guest, empty, '--manifest', manifest)).toExitWith(6);
        expect(await storeArchives(empty)).toEqual([]);
        expect(await storeTrees(empty)).toEqual([]);
        expect(await stagingLeftovers(empty)).toEqual([]);
        expect(await guest.adb('shell', 'cat /proc/modules')).toBe(before);
      });
    });
  });

  describeOnRig('without any way to root', () => {
    it('says that the headers are there but denied, and what would help', async () => {
      await using guest = await bootGuest({ kernel: name, user: 'shell', headers: 'locked', su: 'no' });
      const run = await pull(guest, await tempFolder());
      expect(run).toExitWith(5);
      const { error } = onlyDevice(run);
      const expected =
        origin === 'module'
          ? /headers are in \/\S*kheaders\.ko, .* denied/
          : /kheaders\.tar\.xz is there, but .* denied/;
      expect(error.message).toMatch(expected);
      expect(error.hint).toMatch(/userdebug.* su /);
    });

    it('is described by `kh devices` without an error', async () => {
      await using guest = await bootGuest({ kernel: name, user: 'shell', headers: 'locked', su: 'no' });
      const run = await kh(['devices', '-s', guest.serial, '--json'], { env: guest.env });
      expect(run).toExitWith(0);
      expect(run.json()).toMatchObject({
        devices: [{ headers: { status: origin === 'module' ? 'module' : 'denied' } }],
      });
    });
  });
});
