import { chmod, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Diagnosis } from '../../src/app/doctor/doctor';
import type { DoctorFinding } from '../../src/app/doctor/finding';
import { kh, type KhRun } from '../support/kh';
import { failuresOf, propertiesOf, readJunit } from '../support/junit';
import { hangAt, modulePhone, pixel, startLab } from '../support/lab';
import { pull } from '../support/pull';
import { tempFolder } from '../support/temp-folder';

const diagnosisOf = (run: KhRun) => (run.json() as { result: Diagnosis }).result;

const about = (run: KhRun, area: DoctorFinding['area'], subject?: string) =>
  diagnosisOf(run).findings.filter(
    (finding) => finding.area === area && (subject === undefined || finding.subject === subject),
  );

/** A PATH with these commands and no other: each a script that prints a text. */
async function pathWith(commands: Record<string, string>): Promise<string> {
  const folder = await tempFolder();
  for (const [name, text] of Object.entries(commands)) {
    await writeFile(join(folder, name), `#!/bin/sh\necho '${text}'\n`);
    await chmod(join(folder, name), 0o755);
  }
  return folder;
}

describe('kh doctor', () => {
  it('finds nothing wrong where all is well, and changes nothing', async () => {
    const lab = await startLab({ devices: [pixel(), modulePhone()] });
    const run = await kh(['doctor', '--json'], { lab });
    expect(run).toExitWith(0);
    const { devices, servers } = diagnosisOf(run);
    expect(devices).toMatchObject([
      { serial: 'PIXEL', state: 'device', headers: { status: 'built-in' }, root: 'none', btf: false },
      { serial: 'MODULE', headers: { status: 'module' }, root: 'adb-root' },
    ]);
    expect(servers).toMatchObject([{ state: 'ok', devices: 2 }]);
    expect(about(run, 'device', 'PIXEL')[0]).toMatchObject({ severity: 'ok' });
    expect(await readdir(join(run.home, '..'))).not.toContain('home');
    expect(lab.device('MODULE').counters).toMatchObject({ modulesLoaded: 0 });
    expect(lab.device('MODULE').modules()).toEqual([]);
  });

  it('says of each device what it cannot give, what helps, and exits with the code of a pull', async () => {
    const lab = await startLab({
      devices: [
        pixel({ serial: 'DENIED', headers: { kind: 'denied' } }),
        pixel({ serial: 'ABSENT', headers: { kind: 'absent' } }),
        modulePhone({ serial: 'LOCKED', adbRoot: 'refused', su: 'none' }),
        pixel({ serial: 'STRANGER', state: 'unauthorized' }),
      ],
    });
    const run = await kh(['doctor', '--json'], { lab });
    expect(run).toExitWith(4);
    const codeOf = (serial: string) => about(run, 'device', serial).flatMap(({ code }) => code ?? []);
    expect(codeOf('DENIED')).toEqual(['HEADERS_DENIED']);
    expect(codeOf('ABSENT')).toEqual(['HEADERS_ABSENT']);
    expect(codeOf('LOCKED')).toEqual(['HEADERS_MODULE_UNLOADABLE']);
    expect(codeOf('STRANGER')).toEqual(['DEVICE_UNAUTHORIZED']);
    for (const { severity, mend } of diagnosisOf(run).findings) {
      if (severity === 'error') expect(mend).toEqual(expect.any(String));
    }
    const text = await kh(['doctor', '-s', 'ABSENT'], { lab });
    expect(text).toExitWith(5);
    expect(text.stdout).toMatch(
      /^error +device +ABSENT: this kernel was built without its headers.*\n +→ flash/m,
    );
    expect(text.stdout).toMatch(/^1 error, \d+ warnings?$/m);
  });

  it('does not wait long for a device that hangs', async () => {
    const lab = await startLab({
      devices: [pixel(), pixel({ serial: 'HUNG', faults: [hangAt('shell', 0)] })],
    });
    const run = await kh(['doctor', '--json'], { lab });
    expect(run).toExitWith(9);
    expect(about(run, 'device', 'HUNG')).toMatchObject([{ severity: 'error', code: 'TIMEOUT' }]);
    expect(about(run, 'device', 'PIXEL').length).toBeGreaterThan(1);
  });

  it('works without adb, without a device and without a compiler', async () => {
    const none = await kh(['doctor', '--json'], { env: { PATH: await pathWith({}) } });
    expect(none).toExitWith(69);
    expect(about(none, 'adb').map(({ severity }) => severity)).toEqual(['note', 'error']);
    expect(about(none, 'adb')[1]).toMatchObject({
      code: 'ADB_MISSING',
      mend: expect.stringContaining('adb') as unknown,
    });
    expect(about(none, 'compiler')).toMatchObject([{ severity: 'warning' }]);
    expect(about(none, 'kh', 'make')).toMatchObject([{ severity: 'warning' }]);

    const adb = await pathWith({ adb: 'Android Debug Bridge version 1.0.41' });
    const stopped = await kh(['doctor', '--json'], { env: { PATH: adb } });
    expect(stopped).toExitWith(0);
    expect(about(stopped, 'adb')[1]).toMatchObject({ severity: 'note', mend: 'adb start-server' });

    const lab = await startLab({ devices: [] });
    const empty = await kh(['doctor', '--json'], { lab });
    expect(empty).toExitWith(3);
    expect(about(empty, 'device')).toMatchObject([{ code: 'DEVICE_NONE' }]);
  });

  it('warns of an adb on the PATH that would restart the server', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const adb = await pathWith({ adb: 'Android Debug Bridge version 1.0.32' });
    const run = await kh(['doctor', '--json'], { lab, env: { PATH: adb } });
    expect(run).toExitWith(0);
    expect(about(run, 'adb')[1]).toMatchObject({
      severity: 'warning',
      message: expect.stringContaining('adb on the PATH is 1.0.32') as unknown,
    });
  });

  it('tells what is damaged in the store, and works with one that is broken altogether', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const { home } = await pull(lab);
    expect(about(await kh(['doctor', '--json'], { lab, home }), 'store')).toMatchObject([
      { severity: 'ok', message: '1 workspace, 1 archive' },
    ]);
    const trees = join(home, 'v1/trees');
    for (const name of await readdir(trees)) await rm(join(trees, name), { recursive: true });
    const damaged = await kh(['doctor', '--json'], { lab, home });
    expect(damaged).toExitWith(11);
    expect(about(damaged, 'store').slice(1)).toMatchObject([
      { code: 'STORE_DAMAGED', mend: 'kh store verify --repair' },
      { code: 'STORE_DAMAGED' },
    ]);

    const broken = await tempFolder();
    await mkdir(join(broken, 'v1'));
    await writeFile(join(broken, 'v1/archives'), 'a file where a folder is due');
    const run = await kh(['doctor', '--json'], { lab, home: broken });
    expect(run).toExitWith(11);
    expect(about(run, 'store')).toMatchObject([{ severity: 'error', code: 'STORE_IO' }]);
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;

  onLinux('says of a file system without a size that it is none for a store', async () => {
    const run = await kh(['doctor', '--json'], {
      lab: await startLab({ devices: [] }),
      home: '/proc/nowhere',
    });
    expect(about(run, 'disk')).toMatchObject([
      { severity: 'warning', subject: '/proc', message: expect.stringContaining('has no size') as string },
    ]);
  });

  it('says whether the manifest can be used and knows the kernels that run', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const { home } = await pull(lab);
    const manifest = join(await tempFolder(), 'lab.json');
    await kh(['manifest', 'add', manifest], { home });
    const known = await kh(['doctor', '--manifest', manifest, '--require-manifest', '--json'], { lab, home });
    expect(known).toExitWith(0);
    expect(about(known, 'manifest')).toMatchObject([{ severity: 'ok' }]);

    const other = await startLab({ devices: [modulePhone()] });
    const args = ['doctor', '--manifest', manifest, '--json'];
    expect(await kh(args, { lab: other })).toExitWith(0);
    const strict = await kh([...args, '--require-manifest'], { lab: other });
    expect(strict).toExitWith(6);
    expect(about(strict, 'manifest')[1]).toMatchObject({ code: 'VERIFY_UNLISTED' });

    const text = await readFile(manifest, 'utf8');
    await writeFile(manifest, text.replace('"added"', '"expires": "2026-01-01", "added"'));
    const expired = await kh([...args, '--require-manifest'], { lab });
    expect(expired).toExitWith(6);
    expect(about(expired, 'manifest')[1]).toMatchObject({ code: 'VERIFY_EXPIRED' });

    await writeFile(manifest, '{');
    const damaged = await kh(args, { lab });
    expect(damaged).toExitWith(6);
    expect(about(damaged, 'manifest')).toMatchObject([{ code: 'MANIFEST_UNUSABLE' }]);
  });

  it('looks at every server of a lab, and reports to CI systems', async () => {
    const one = await startLab({ devices: [pixel()] });
    const two = await startLab({ devices: [pixel({ serial: 'ABSENT', headers: { kind: 'absent' } })] });
    const file = join(await tempFolder(), 'report.xml');
    const servers = ['-P', String(one.port), '-P', String(two.port), '-P', '1'];
    const run = await kh(['doctor', ...servers, `--report=junit=${file}`, '--json'], {});
    expect(run).toExitWith(4);
    const name = `127.0.0.1:${two.port}/ABSENT`;
    expect(diagnosisOf(run).devices.map((device) => device.name)).toEqual([
      `127.0.0.1:${one.port}/PIXEL`,
      name,
    ]);
    const suite = readJunit(await readFile(file, 'utf8'));
    expect(failuresOf(suite)).toMatchObject({
      [name]: { type: 'HEADERS_ABSENT' },
      'adb 127.0.0.1:1': { type: 'ADB_UNAVAILABLE' },
    });
    expect(propertiesOf(suite)[name]).toMatchObject({ state: 'device', serial: 'ABSENT' });
  });
});
