import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kh, type KhRun } from '../support/kh';
import { storeArchives } from '../support/store-contents';
import { tempFolder } from '../support/temp-folder';
import { onlyDevice, pull } from './support/pull';
import { archiveMd5, bootGuest, describeOnRig, stopAdbServer, type Guest } from './support/rig';

const KERNEL = 'arm64-6.1';
const ON_DEVICE = '/sys/kernel/kheaders.tar.xz';

/** What the builder of the kernel has: the archive of the build, a manifest, keys. */
interface Builder {
  archive: string;
  manifest: string;
  key: string;
  release: string;
  run(...args: string[]): Promise<KhRun>;
}

async function builder(): Promise<Builder> {
  const cwd = await tempFolder();
  const home = join(cwd, 'home');
  const path = (name: string) => join(cwd, name);
  const image = join(process.env['KH_RIG'] ?? '', 'kernels', KERNEL, 'Image.gz');
  const run = async (...args: string[]) => {
    const done = await kh(args, { home, timeoutMs: 120_000 });
    expect(done).toExitWith(0);
    return done;
  };
  await run('carve', image, '-o', path('kheaders.tar.xz'));
  await run('manifest', 'keygen', path('builder'));
  await run('manifest', 'add', path('lab.json'), '--archive', path('kheaders.tar.xz'));
  await run('manifest', 'sign', path('lab.json'), '--key', path('builder.key'));
  const { kernels } = JSON.parse(await readFile(path('lab.json'), 'utf8')) as {
    kernels: { release: string; md5: string }[];
  };
  expect(kernels).toMatchObject([{ md5: archiveMd5(KERNEL) }]);
  return {
    archive: path('kheaders.tar.xz'),
    manifest: path('lab.json'),
    key: path('builder'),
    release: kernels[0]?.release ?? '',
    run,
  };
}

async function unpacked(archive: string): Promise<{ folder: string; tree: string }> {
  const folder = await tempFolder();
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  execFileSync('tar', ['-xJf', archive, '-C', tree]);
  return { folder, tree };
}

/** A folder like one of that kernel's build in its source, as far as packing its headers goes. */
async function buildFolder({ archive, release }: Builder): Promise<string> {
  const { tree } = await unpacked(archive);
  mkdirSync(join(tree, 'include/config'), { recursive: true });
  writeFileSync(join(tree, 'include/config/kernel.release'), `${release}\n`);
  const [version = '', patchlevel = '', sublevel = ''] = release.split(/[.-]/);
  const numbers = { VERSION: version, PATCHLEVEL: patchlevel, SUBLEVEL: sublevel };
  const makefile = Object.entries(numbers).map(([name, value]) => `${name} = ${value}\n`);
  writeFileSync(join(tree, 'Makefile'), makefile.join(''));
  return tree;
}

/** A sound archive of the same kernel with one header changed. */
async function tampered(archive: string): Promise<string> {
  const { folder, tree } = await unpacked(archive);
  appendFileSync(join(tree, 'include/linux/types.h'), '#define INTRUDER 1\n');
  const path = join(folder, 'tampered.tar.xz');
  execFileSync('tar', ['-cJf', path, '-C', tree, '.']);
  return path;
}

afterAll(stopAdbServer);

describeOnRig('a device whose headers are trusted only if the builder of its kernel said so', () => {
  let guest: Guest;
  let built: Builder;
  beforeAll(async () => {
    guest = await bootGuest({ kernel: KERNEL, user: 'root' });
    built = await builder();
  });
  afterAll(() => guest[Symbol.asyncDispose]());

  const strictly = ({ manifest = built.manifest, key = `${built.key}.pub` } = {}) => [
    ...['--manifest', manifest, '--require-manifest', '--trusted-key', key],
  ];

  /** A pull that has to fail with exit code 6, and to leave nothing behind. */
  async function refused(flags: string[]): Promise<{ code: string; message: string }> {
    const home = await tempFolder();
    const run = await pull(guest, home, ...flags);
    expect(run).toExitWith(6);
    expect(await storeArchives(home)).toEqual([]);
    return onlyDevice(run).error;
  }

  /** The device has that archive in the place of its own for a while. */
  async function withHeaders(archive: string, work: () => Promise<void>): Promise<void> {
    await guest.adb('push', archive, '/data/local/tmp/other.tar.xz');
    await guest.adb('shell', `mount --bind /data/local/tmp/other.tar.xz ${ON_DEVICE}`);
    try {
      await work();
    } finally {
      await guest.adb('shell', `umount ${ON_DEVICE}`);
    }
  }

  it('passes with what the builder signed', async () => {
    const run = await pull(guest, await tempFolder(), ...strictly());
    expect(run).toExitWith(0);
    expect(onlyDevice(run).result).toMatchObject({
      md5: archiveMd5(KERNEL),
      release: built.release,
      verdict: { trust: 'trusted', manifest: { form: 'lab', digest: 'sha256' } },
    });
    const check = await kh(
      ['manifest', 'check-devices', built.manifest, '-s', guest.serial, '--require-manifest'],
      { env: guest.env },
    );
    expect(check).toExitWith(0);
    expect(check.stdout).toContain('trusted');
  });

  it('passes with what was packed of a build, listed and signed', async () => {
    const out = await tempFolder();
    const manifest = join(out, 'lab.json');
    await built.run('pack', await buildFolder(built), '-o', out, '--manifest', manifest);
    await built.run('manifest', 'sign', manifest, '--key', `${built.key}.key`);
    await withHeaders(join(out, 'kheaders.tar.xz'), async () => {
      const run = await pull(guest, await tempFolder(), ...strictly({ manifest }));
      expect(run).toExitWith(0);
      expect(onlyDevice(run).result).toMatchObject({
        release: built.release,
        verdict: { trust: 'trusted', manifest: { form: 'lab', digest: 'sha256' } },
      });
      expect(await refused(strictly())).toMatchObject({ code: 'VERIFY_MANIFEST' });
    });
  });

  it('is refused with a tampered archive', async () => {
    await withHeaders(await tampered(built.archive), async () => {
      expect(await refused(strictly())).toMatchObject({
        code: 'VERIFY_MANIFEST',
        message: expect.stringMatching(/the archive's sha256 is [0-9a-f]{64}, but .*lab\.json/) as string,
      });
      const check = await kh(['manifest', 'check-devices', built.manifest, '-s', guest.serial], {
        env: guest.env,
      });
      expect(check).toExitWith(6);
    });
    expect(await pull(guest, await tempFolder(), ...strictly())).toExitWith(0);
  });

  it('is refused with a key that is not trusted, and without a signature', async () => {
    const stranger = join(await tempFolder(), 'stranger');
    await built.run('manifest', 'keygen', stranger);
    expect(await refused(strictly({ key: `${stranger}.pub` }))).toMatchObject({
      code: 'MANIFEST_UNTRUSTED',
      message: expect.stringMatching(/is not one of the keys that are trusted/) as string,
    });
    const unsigned = join(await tempFolder(), 'unsigned.json');
    writeFileSync(unsigned, await readFile(built.manifest));
    expect(await refused(strictly({ manifest: unsigned }))).toMatchObject({
      code: 'MANIFEST_UNTRUSTED',
      message: expect.stringMatching(/is not signed/) as string,
    });
  });

  it('is refused with an entry that has expired, be it signed as it is', async () => {
    const good = await readFile(built.manifest, 'utf8');
    writeFileSync(built.manifest, good.replace('"added"', '"expires": "2026-01-01", "added"'));
    await built.run('manifest', 'sign', built.manifest, '--key', `${built.key}.key`);
    expect(await refused(strictly())).toMatchObject({
      code: 'VERIFY_EXPIRED',
      message: expect.stringMatching(/expired on 2026-01-01/) as string,
    });
    writeFileSync(built.manifest, good);
  });

  it('is refused once its archive was revoked, also where it was pulled before in this very boot', async () => {
    await built.run('manifest', 'sign', built.manifest, '--key', `${built.key}.key`);
    const home = await tempFolder();
    expect(await pull(guest, home, ...strictly())).toExitWith(0);
    await built.run('manifest', 'revoke', built.manifest, '--release', built.release, '--reason', 'stolen');
    expect(await refused(strictly())).toMatchObject({ code: 'MANIFEST_UNTRUSTED' });
    await built.run('manifest', 'sign', built.manifest, '--key', `${built.key}.key`);
    const revoked = { code: 'VERIFY_REVOKED', message: expect.stringMatching(/stolen/) as string };
    expect(await refused(strictly())).toMatchObject(revoked);
    const again = await pull(guest, home, ...strictly());
    expect(again).toExitWith(6);
    expect(onlyDevice(again).error).toMatchObject(revoked);
    expect(await kh(['manifest', 'check', built.manifest], { home })).toExitWith(6);
  });
});
