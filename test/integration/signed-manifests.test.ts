import { appendFile, copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { archivePath } from '../../src/store/archives';
import { openStore } from '../../src/store/layout';
import { fakeKernelBuild } from '../support/fake-kernel-build';
import { kh, type KhRun } from '../support/kh';
import { cuttlefish, pixel, startLab } from '../support/lab';
import { errorOf, pull, resultOf } from '../support/pull';
import { tempFolder } from '../support/temp-folder';

/** A lab with a phone, a manifest with its archive, and the keys `ours` and `theirs`. */
async function signedLab() {
  const lab = await startLab({ devices: [pixel()] });
  const first = await pull(lab);
  expect(first).toExitWith(0);
  const folder = await tempFolder();
  const path = (name: string) => join(folder, name);
  const manifest = path('lab.json');
  const { home } = first;
  const done = async (...args: string[]): Promise<KhRun> => {
    const run = await kh(['manifest', ...args], { home });
    expect(run).toExitWith(0);
    return run;
  };
  await done('keygen', path('ours'));
  await done('keygen', path('theirs'));
  await done('add', manifest);
  await done('sign', manifest, '--key', path('ours.key'));
  const strictly = ['--manifest', manifest, '--require-manifest', '--trusted-key', path('ours.pub')];
  return { lab, home, path, manifest, done, strictly, archive: resultOf(first) };
}

describe('a signed manifest', () => {
  it('is trusted where its key is, and refused unsigned, changed, and signed by another key', async () => {
    const { lab, home, path, manifest, done, strictly } = await signedLab();
    const good = await pull(lab, strictly);
    expect(good).toExitWith(0);
    expect(resultOf(good).verdict.trust).toBe('trusted');

    await done('sign', path('lab.json'), '--key', path('theirs.key'));
    expect(await pull(lab, strictly, { home })).toExitWith(0);

    const { recvStarted } = lab.device('PIXEL').counters;
    const refused = async (reason: RegExp) => {
      const run = await pull(lab, strictly, { home });
      expect(run).toExitWith(6);
      expect(errorOf(run)).toMatchObject({
        code: 'MANIFEST_UNTRUSTED',
        message: expect.stringMatching(reason) as string,
      });
    };
    await appendFile(manifest, '\n');
    await refused(/was changed since it was signed/);
    await done('sign', manifest, '--key', path('theirs.key'));
    await refused(/is not one of the keys that are trusted/);
    await writeFile(`${manifest}.sig`, '{"kheadersSignatures":1,"signatures":[]}');
    await refused(/is not signed/);
    expect(lab.device('PIXEL').counters.recvStarted).toBe(recvStarted);
  });

  it('is asked for by the environment and by the lab file too', async () => {
    const { lab, path, manifest } = await signedLab();
    const KH_TRUSTED_KEYS = `${path('theirs.pub')}:${path('ours.pub')}`;
    expect(await pull(lab, ['--manifest', manifest], { env: { KH_TRUSTED_KEYS } })).toExitWith(0);
    await writeFile(path('kh.lab.json'), '{"manifest": "lab.json", "trustedKeys": ["theirs.pub"]}');
    const run = await pull(lab, ['--lab', path('kh.lab.json')]);
    expect(run).toExitWith(6);
    expect(errorOf(run).code).toBe('MANIFEST_UNTRUSTED');
    const settings = await kh(['config', '--json'], { env: { KH_TRUSTED_KEYS } });
    expect(settings.stdout).toContain('"variable": "KH_TRUSTED_KEYS"');
  });

  it('is judged by verify, and shown with what its signatures are worth', async () => {
    const { path, manifest, done } = await signedLab();
    await done('verify', manifest, '--trusted-key', path('ours.pub'));
    const verify = await kh(['manifest', 'verify', manifest, '--trusted-key', path('theirs.pub'), '--json']);
    expect(verify).toExitWith(6);
    expect(errorOf(verify)).toMatchObject({ code: 'MANIFEST_UNTRUSTED' });
    expect(await kh(['manifest', 'verify', manifest])).toExitWith(2);
    const show = await done('show', manifest, '--json');
    expect(show.json()).toMatchObject({ result: { signatures: [{ state: 'unknown-key' }] } });
  });

  it('that is changed keeps old signatures, which count no more, and says so', async () => {
    const { lab, manifest, done, strictly } = await signedLab();
    const add = await done('add', manifest, '--note', 'again');
    expect(add.stderr).toMatch(/signatures of .*lab\.json are of what it was before: sign it again/);
    expect(await pull(lab, strictly)).toExitWith(6);
  });

  it('does not take a signature of another kind, and leaves that where it is', async () => {
    const { home, path, manifest, done } = await signedLab();
    await writeFile(`${manifest}.sig`, '-----BEGIN PGP SIGNATURE-----');
    await done('add', manifest);
    const sign = await kh(['manifest', 'sign', manifest, '--key', path('ours.key'), '--json'], { home });
    expect(sign).toExitWith(6);
    expect(errorOf(sign).code).toBe('MANIFEST_UNUSABLE');
    expect(await readFile(`${manifest}.sig`, 'utf8')).toBe('-----BEGIN PGP SIGNATURE-----');
  });

  it('is signed once by a key that is named twice', async () => {
    const { path, manifest, done } = await signedLab();
    await done('sign', manifest, '--key', path('ours.key'), '--key', path('ours.key'));
    const { signatures } = JSON.parse(await readFile(`${manifest}.sig`, 'utf8')) as { signatures: unknown[] };
    expect(signatures).toHaveLength(1);
  });

  it('may be of any form, and its signature may expire', async () => {
    const { lab, path, done, archive } = await signedLab();
    const list = path('list.md5');
    await writeFile(list, `${archive.md5}  kheaders.tar.xz\n`);
    await done('sign', list, '--key', path('ours.key'), '--expires', '90d');
    const flags = ['--manifest', list, '--trusted-key', path('ours.pub')];
    expect(await pull(lab, flags)).toExitWith(0);
    const show = await done('show', list, '--trusted-key', path('ours.pub'));
    expect(show.stdout).toMatch(/SIGNED BY .*\n[0-9a-f]{16} .* valid\n/);
    expect(
      await kh(['manifest', 'sign', list, '--key', path('ours.key'), '--expires', '2020-01-01']),
    ).toExitWith(2);
  });
});

/** A kernel that was just built: its headers are packed, and listed in a manifest that is signed. */
async function signedBuild() {
  const folder = await tempFolder();
  const path = (name: string) => join(folder, name);
  const release = '6.12.3-fake';
  const { source, build } = await fakeKernelBuild(folder, { release, pullable: true });
  const done = async (...args: string[]) => expect(await kh(args)).toExitWith(0);
  const pack = async (to: string, ...flags: string[]) => {
    await done('pack', build, '-o', path(to), ...flags);
    return readFile(join(path(to), 'kheaders.tar.xz'));
  };
  const archive = await pack('built', '--manifest', path('lab.json'));
  await done('manifest', 'keygen', path('builder'));
  await done('manifest', 'sign', path('lab.json'), '--key', path('builder.key'));
  const strictly = [
    '--manifest',
    path('lab.json'),
    '--require-manifest',
    '--trusted-key',
    path('builder.pub'),
  ];
  const phoneWith = (bytes: Buffer) =>
    startLab({ devices: [pixel({ kernel: { release }, headers: { kind: 'built-in', archive: bytes } })] });
  return { source, pack, archive, strictly, phoneWith };
}

describe('the headers of a kernel build, packed into a signed manifest', () => {
  it('are trusted on the device that runs that kernel', async () => {
    const { archive, strictly, phoneWith } = await signedBuild();
    const run = await pull(await phoneWith(archive), strictly);
    expect(run).toExitWith(0);
    expect(resultOf(run).verdict.trust).toBe('trusted');
  });

  it('are not those of another build of the same release', async () => {
    const { source, pack, strictly, phoneWith } = await signedBuild();
    await appendFile(join(source, 'include/linux/list.h'), '#define ANOTHER 1\n');
    const run = await pull(await phoneWith(await pack('later')), strictly);
    expect(run).toExitWith(6);
    expect(errorOf(run)).toMatchObject({ code: 'VERIFY_MANIFEST' });
  });
});

describe('an entry that has expired', () => {
  it('is refused where one is required, else the archive counts as unverified', async () => {
    const { lab, home, manifest } = await signedLab();
    const text = JSON.parse(await readFile(manifest, 'utf8')) as { kernels: object[] };
    text.kernels = text.kernels.map((entry) => ({ ...entry, expires: '2026-01-01' }));
    await writeFile(manifest, JSON.stringify(text));
    const run = await pull(lab, ['--manifest', manifest, '--require-manifest'], { home });
    expect(run).toExitWith(6);
    expect(errorOf(run)).toMatchObject({
      code: 'VERIFY_EXPIRED',
      message: expect.stringContaining('2026-01-01') as string,
    });
    const lenient = await pull(lab, ['--manifest', manifest], { home });
    expect(lenient).toExitWith(0);
    expect(resultOf(lenient).verdict.trust).toBe('unverified');
    expect(lenient.json()).toMatchObject({
      warnings: [{ message: expect.stringContaining('expired on 2026-01-01') as string }],
    });
    const check = await kh(['manifest', 'check', manifest, '--json'], { home });
    expect(check).toExitWith(0);
    expect(check.json()).toMatchObject({ result: [{ status: 'expired' }] });
    expect(await kh(['manifest', 'check', manifest, '--require-manifest'], { home })).toExitWith(6);
  });
});

describe('an archive that was revoked', () => {
  it('is refused in any pull, of this very boot too, and named by check on disk and on devices', async () => {
    const { lab, home, manifest, done, archive } = await signedLab();
    await done('revoke', manifest, '--release', archive.release, '--reason', 'built by an intruder');
    for (const flags of [[], ['--force'], ['--require-manifest']]) {
      const run = await pull(lab, ['--manifest', manifest, ...flags], { home });
      expect(run).toExitWith(6);
      expect(errorOf(run)).toMatchObject({
        code: 'VERIFY_REVOKED',
        message: expect.stringContaining('built by an intruder') as string,
      });
    }
    const check = await kh(['manifest', 'check', manifest, '--json'], { home });
    expect(check).toExitWith(6);
    expect(check.json()).toMatchObject({ result: [{ status: 'revoked', device: 'PIXEL' }] });
    expect(await kh(['manifest', 'add', manifest], { home })).toExitWith(6);
    const devices = await kh(['manifest', 'check-devices', manifest, '--json'], { lab });
    expect(devices).toExitWith(6);
    expect(errorOf(devices).code).toBe('VERIFY_REVOKED');

    expect(await kh(['workspace', 'remove', '-s', 'PIXEL'], { home })).toExitWith(0);
    const unused = await kh(['manifest', 'check', manifest, '--json'], { home });
    expect(unused).toExitWith(6);
    expect(unused.json()).toMatchObject({ result: [{ status: 'revoked', release: archive.release }] });
  });

  it('may be one that is not listed, by its digest', async () => {
    const { lab, manifest, done, archive } = await signedLab();
    const other = '1'.repeat(64);
    await done('revoke', manifest, '--sha256', other, '--sha256', archive.sha256, '--reason', 'x');
    expect(JSON.parse(await readFile(manifest, 'utf8'))).toMatchObject({
      kernels: [],
      revoked: [{ sha256: other }, { sha256: archive.sha256, md5: archive.md5 }].sort((a, b) =>
        a.sha256 < b.sha256 ? -1 : 1,
      ),
    });
    expect(await pull(lab, ['--manifest', manifest])).toExitWith(6);
  });

  it('is known by its md5 still when it is revoked again', async () => {
    const { manifest, done, archive } = await signedLab();
    const { sha256, md5, release } = archive;
    await done('revoke', manifest, '--sha256', sha256, '--reason', 'once');
    await done('revoke', manifest, '--sha256', sha256, '--reason', 'twice');
    expect(JSON.parse(await readFile(manifest, 'utf8'))).toMatchObject({
      revoked: [{ sha256, md5, release, reason: 'twice' }],
    });
  });

  it('is not one of a release that has no entry', async () => {
    const { manifest } = await signedLab();
    const run = await kh(['manifest', 'revoke', manifest, '--release', '9.9', '--reason', 'x']);
    expect(run).toExitWith(2);
    expect(run.stderr).toMatch(/no entry for kernel 9\.9/);
  });
});

describe('kh manifest check-devices', () => {
  it('compares what devices say of their archives, and pulls nothing', async () => {
    const { manifest } = await signedLab();
    const lab = await startLab({ devices: [pixel(), cuttlefish()] });
    const run = await kh(['manifest', 'check-devices', manifest, '--all', '--json'], { lab });
    expect(run).toExitWith(0);
    expect(run.json()).toMatchObject({
      devices: [
        { serial: 'PIXEL', result: { status: 'trusted' } },
        { serial: 'CUTTLEFISH', result: { status: 'unlisted' } },
      ],
    });
    expect(
      await kh(['manifest', 'check-devices', manifest, '--all', '--require-manifest'], { lab }),
    ).toExitWith(10);
  });
});

describe('kh manifest add --archive', () => {
  it('reads the release out of the archive, and its entry is for every build of it', async () => {
    const { lab, home, path, done, archive } = await signedLab();
    const file = path('kheaders.tar.xz');
    await copyFile(archivePath(await openStore({ home }), archive.sha256), file);
    const added = path('packed.json');
    await done('add', added, '--archive', file, '--expires', '30d', '--note', 'nightly');
    const { md5, sha256, bytes, release } = archive;
    expect(JSON.parse(await readFile(added, 'utf8'))).toMatchObject({
      kernels: [
        { md5, sha256, bytes, release, note: 'nightly', expires: expect.stringMatching(/Z$/) as string },
      ],
    });
    expect(await pull(lab, ['--manifest', added, '--require-manifest'])).toExitWith(0);
    const other = await kh(['manifest', 'add', added, '--archive', file, '--release', '9.9', '--json'], {
      home,
    });
    expect(other).toExitWith(6);
    expect(errorOf(other).code).toBe('VERIFY_RELEASE');
    await writeFile(file, (await readFile(file)).subarray(0, 500));
    expect(await kh(['manifest', 'add', added, '--archive', file], { home })).toExitWith(7);
  });
});
