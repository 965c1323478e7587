import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceDescription } from '../../src/simulator/lab/lab-description';
import type { Simulator } from '../../src/simulator/simulator';
import { kh, type KhRun } from '../support/kh';
import { modulePhone, pixel, startLab } from '../support/lab';
import { moduleFile } from '../support/made-module';
import { outcomesOf, pull, resultsOf } from '../support/pull';
import { folderListing, stagingLeftovers, storeTrees } from '../support/store-contents';
import { tempFolder } from '../support/temp-folder';

/** What runs where a text is read by a shell: it leaves a file in the working folder, or on the device. */
const RUNS = '$(touch PWNED)`touch PWNED`;touch PWNED;';
/** Sets a terminal's title, clears it, makes a link, turns the direction of writing, ends a line. */
const ACTS = '\u001b]0;owned\u0007\u001b[2J\u001b]8;;http://x\u0007\u009b1m\u202e\b';
const LEADS_OUT = '../../../../../../escape';
const QUOTES = `'"\\`;
const LONG = 'x'.repeat(2 ** 20);
const NO_UTF8 = Buffer.from([0xff, 0xfe, 0xc0, 0xaf, 0x80, 0x0a]).toString('base64');

/** A release as a kernel could say it: no space, and no quote, which would end the one in utsrelease.h. */
const RELEASE = `6.1.9-../../../escape$(touch\${IFS}PWNED);'`;

const HOSTILE: DeviceDescription[] = [
  pixel({ serial: `SERIAL-${RUNS.replaceAll(' ', '')}${QUOTES}${LEADS_OUT}` }),
  pixel({ serial: 'SERIALNO', serialno: `${LEADS_OUT}\n${RUNS}${ACTS}${QUOTES}` }),
  pixel({
    serial: 'PROPERTIES',
    model: `${ACTS}\n${RUNS}`,
    product: `${LEADS_OUT}${QUOTES}${ACTS}`,
    properties: { 'ro.build.version.release': `${ACTS}${RUNS}\r\nX` },
  }),
  pixel({
    serial: 'LONG',
    model: LONG,
    product: LONG,
    serialno: LONG,
    properties: { 'ro.build.version.release': LONG },
  }),
  pixel({ serial: 'RELEASE', kernel: { release: RELEASE } }),
  pixel({
    serial: 'VERSION',
    kernel: { release: '6.1.8', version: `#1 ${ACTS}${RUNS}${QUOTES}${LEADS_OUT}` },
  }),
  pixel({
    serial: 'BYTES',
    files: {
      '/proc/sys/kernel/random/boot_id': { base64: NO_UTF8 },
      '/proc/modules': { text: `${LONG}\n${ACTS}\n${RUNS}` },
      '/proc/config.gz': { base64: NO_UTF8 },
    },
  }),
  modulePhone({
    serial: 'FILE',
    headers: {
      kind: 'module',
      file: `/vendor/lib/modules/${ACTS}$(touch PWNED)'"/kheaders.ko`,
    },
  }),
];

/** These say so much, or such things, that kh takes nothing from them. */
const REFUSED: DeviceDescription[] = [
  pixel({ serial: 'LONG-RELEASE', kernel: { release: `6.1.7-${LONG}` } }),
  pixel({ serial: 'QUOTED-RELEASE', kernel: { release: `6.1.6-"${RUNS.replaceAll(' ', '')}` } }),
  pixel({ serial: 'CONTROL-RELEASE', kernel: { release: `6.1.5-${ACTS}` } }),
  pixel({
    serial: 'DENIED-FILE',
    su: 'none',
    headers: { kind: 'module', file: `/vendor/lib/modules/${ACTS}/kheaders.ko` },
  }),
];

/** All of stdout and stderr: what could act on a terminal is not in it. */
function expectHarmless({ stdout, stderr }: KhRun): void {
  expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
}

/** Neither here nor on a device did anything run, and all that was written is in the store. */
async function expectNothingRan(lab: Simulator, folder: string): Promise<void> {
  expect((await readdir(folder)).sort()).toEqual(['cwd', 'home']);
  expect(await readdir(join(folder, 'cwd'))).toEqual([]);
  for (const device of lab.devices) {
    for (const place of ['/', '/data/local/tmp/', '/sdcard/']) {
      expect(device.readFile(`${place}PWNED`)).toBeUndefined();
    }
  }
}

async function place() {
  const folder = await tempFolder();
  await mkdir(join(folder, 'cwd'));
  return { folder, home: join(folder, 'home'), cwd: join(folder, 'cwd') };
}

describe('a device that says what would do harm', () => {
  it('is listed by kh devices, escaped', async () => {
    const lab = await startLab({ devices: [...HOSTILE, ...REFUSED] });
    const { folder, home, cwd } = await place();
    const run = await kh(['devices'], { lab, home, cwd });
    expect(run).toExitWith(0);
    expectHarmless(run);
    expect(run.stdout.trimEnd().split('\n')).toHaveLength(1 + HOSTILE.length + REFUSED.length);
    expectHarmless(await kh(['devices', '--json'], { lab, home, cwd }));
    await kh(['pull', '-s', 'BYTES'], { lab, home, cwd }); // makes the home
    await expectNothingRan(lab, folder);
  });

  it('is pulled from into its own folders; nothing runs, and no control byte is printed', async () => {
    const lab = await startLab({ devices: HOSTILE });
    const { folder, home, cwd } = await place();
    const run = await kh(['pull', '--all', '--verbose'], { lab, home, cwd });
    expect(run).toExitWith(0);
    expectHarmless(run);
    const again = await pull(lab, ['--all'], { home, cwd });
    expect(again).toExitWith(0);
    expectHarmless(again);
    for (const { workspace } of resultsOf(again)) {
      expect(workspace).toMatch(new RegExp(`^${home}/v1/workspaces/[^/]+/[^/]+$`));
      expect(workspace).toMatch(/^[\w./~%+=@,-]+$/);
      expect((await stat(workspace)).isDirectory()).toBe(true);
    }
    await expectNothingRan(lab, folder);
    expect(lab.devices.flatMap((device) => device.modules())).toEqual([]);
  });

  it('is shown by workspace list, show and verify, escaped', async () => {
    const lab = await startLab({ devices: HOSTILE });
    const { folder, home, cwd } = await place();
    const pulled = await pull(lab, ['--all'], { home, cwd });
    for (const words of [
      ['workspace', 'list'],
      ['workspace', 'verify'],
    ]) {
      const run = await kh(words, { home, cwd });
      expect(run).toExitWith(0);
      expectHarmless(run);
    }
    for (const { device } of resultsOf(pulled)) {
      const shown = await kh(['workspace', 'show', '-s', device], { home, cwd });
      expect(shown).toExitWith(0);
      expectHarmless(shown);
    }
    await expectNothingRan(lab, folder);
  });

  it('is refused where no kernel says such a thing, in words that are escaped', async () => {
    const lab = await startLab({ devices: REFUSED });
    const { folder, home, cwd } = await place();
    const text = await kh(['pull', '--all'], { lab, home, cwd });
    expectHarmless(text);
    const run = await pull(lab, ['--all'], { home, cwd });
    expectHarmless(run);
    const codes = outcomesOf(run).map((outcome) => outcome.status === 'failed' && outcome.error.code);
    expect(codes).toEqual([
      'REMOTE_COMMAND_FAILED',
      'ARCHIVE_INCOMPLETE',
      'ARCHIVE_INCOMPLETE',
      'HEADERS_MODULE_UNLOADABLE',
    ]);
    expect(text.stderr.length).toBeLessThan(100_000);
    expect(await storeTrees(home)).toEqual([]);
    expect(await stagingLeftovers(home)).toEqual([]);
    await expectNothingRan(lab, folder);
  });

  it('is quoted in the kernel’s log after loading a module, escaped', async () => {
    const lab = await startLab({ devices: [modulePhone()] });
    const { folder, home, cwd } = await place();
    const vermagic = `5.15.1-${RUNS.replaceAll(' ', '')}${ACTS} SMP`;
    const ko = await moduleFile('other.ko', { name: 'other', vermagic });
    const run = await kh(['load-module', ko], { lab, home, cwd });
    expect(run).toExitWith(8);
    expect(run.stderr).toContain('version magic');
    expect(run.stderr).toContain('\\x1b]0;owned');
    expectHarmless(run);
    await kh(['pull', '-s', 'MODULE'], { lab, home, cwd }); // makes the home
    await expectNothingRan(lab, folder);
  });

  it('leaves the store as it is for others', async () => {
    const lab = await startLab({ devices: [pixel(), ...HOSTILE] });
    const { home, cwd } = await place();
    await pull(lab, ['-s', 'PIXEL'], { home, cwd });
    const mine = join(home, 'v1', 'workspaces', 'PIXEL');
    const before = await folderListing(mine);
    expect(await pull(lab, ['--all', '--exclude', 'PIXEL'], { home, cwd })).toExitWith(0);
    expect(await folderListing(mine)).toEqual(before);
  });
});
