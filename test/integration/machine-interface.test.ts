import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DeviceDescription } from '../../src/simulator/lab/lab-description';
import type { ErrorCode } from '../../src/core/errors';
import { kh, type KhOptions } from '../support/kh';
import { hangAt, pixel, startLab } from '../support/lab';
import { errorOf, pull } from '../support/pull';
import { tempFolder } from '../support/temp-folder';

const ROOT = resolve(__dirname, '../..');

/** Every command of kh, as it is typed. */
const COMMANDS = Object.keys(
  (JSON.parse(readFileSync(join(ROOT, 'oclif.manifest.json'), 'utf8')) as { commands: object }).commands,
).map((id) => id.replaceAll(':', ' '));

const none: DeviceDescription[] = [];
const two = [pixel(), pixel({ serial: 'OTHER' })];
const withArchive = (archive: Buffer) => [pixel({ headers: { kind: 'built-in', archive } })];

type Row = [code: ErrorCode, exitCode: number, args: string, devices: DeviceDescription[]];

const FAILURES: Row[] = [
  ['USAGE', 2, 'pull --no-such-flag', two],
  ['USAGE', 2, 'no such command', two],
  ['USAGE', 2, 'pull --manifest', two],
  ['USAGE', 2, 'pull --jobs many', two],
  ['USAGE', 2, 'pull --timeout soon', two],
  ['USAGE', 2, 'manifest show nowhere.json', none],
  ['DEVICE_NONE', 3, 'pull', none],
  ['DEVICE_NOT_FOUND', 3, 'pull -s NOWHERE', two],
  ['DEVICE_AMBIGUOUS', 3, 'pull', two],
  ['DEVICE_WRONG_STATE', 4, 'pull', [pixel({ state: 'bootloader' })]],
  ['DEVICE_NO_PERMISSIONS', 4, 'pull', [pixel({ state: 'no permissions' })]],
  ['DEVICE_UNAUTHORIZED', 4, 'pull', [pixel({ state: 'unauthorized' })]],
  ['HEADERS_ABSENT', 5, 'pull', [pixel({ headers: { kind: 'absent' } })]],
  ['HEADERS_DENIED', 5, 'pull', [pixel({ headers: { kind: 'denied' } })]],
  ['WORKSPACE_NOT_FOUND', 5, 'workspace show', none],
  ['VERIFY_MD5', 6, 'pull', [pixel({ faults: [{ on: 'md5', kind: 'wrong-md5' }] })]],
  ['ARCHIVE_CORRUPT', 7, 'pull', withArchive(Buffer.from('this is no archive'))],
  ['ARCHIVE_TRUNCATED', 7, 'pull', withArchive(Buffer.alloc(0))],
  ['TIMEOUT', 9, 'pull --timeout 1s', [pixel({ faults: [hangAt('shell', 0)] })]],
];

describe('kh that fails', () => {
  it.each(FAILURES)('with %s exits with %d as text and as JSON: kh %s', async (...row) => {
    const [code, exitCode, args, devices] = row;
    const lab = await startLab({ devices });
    await expectFailure(code, exitCode, args.split(' '), { lab });
  });

  it('for want of an adb server exits with 69 where there is no adb to start one', async () => {
    await expectFailure('ADB_MISSING', 69, ['pull'], { env: { PATH: '/nowhere' } });
  });

  it('for want of an adb server exits with 4 where that is on another machine', async () => {
    const elsewhere = ['-H', '0.0.0.0', '-P', '1']; // this machine, but by no name of it that kh knows
    await expectFailure('ADB_UNAVAILABLE', 4, ['pull', ...elsewhere], {});
  });
});

/** Runs a command in both forms. */
async function expectFailure(
  code: ErrorCode,
  exitCode: number,
  args: string[],
  options: KhOptions,
): Promise<void> {
  const [text, json] = await Promise.all([kh(args, options), kh([...args, '--json'], options)]);
  expect(json).toExitWith(exitCode);
  expect(text).toExitWith(exitCode);
  expect(json.json()).toMatchObject({ status: 'failed', exitCode });
  const error = errorOf(json);
  expect(error).toMatchObject({ code, exitCode });
  expect(text.stdout).toBe('');
  expect(text.stderr).toMatch(/^error: /m);
  expect(text.stderr).not.toMatch(/^\s+at /m);
}

describe('stdout', () => {
  it('holds one document and no other byte, with --json', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const { home } = await pull(lab);
    const manifest = join(await tempFolder(), 'lab.json');
    const commands = [
      'devices',
      'pull',
      'pull --verbose --force',
      'pull --quiet',
      'workspace list',
      'workspace show',
      'workspace path',
      'workspace verify',
      `manifest add ${manifest}`,
      `manifest show ${manifest}`,
      `manifest check ${manifest}`,
      'workspace remove --all',
      'store gc --dry-run',
    ];
    for (const command of commands) {
      const run = await kh([...command.split(' '), '--json'], { lab, home });
      expect(run).toExitWith(0);
      expect(run.json()).toMatchObject({ status: 'ok', exitCode: 0 });
      expect(run.stdout).toBe(`${JSON.stringify(run.json(), undefined, 2)}\n`);
    }
  });

  it('holds the path and nothing else, without', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const run = await kh(['pull', '--verbose'], { lab });
    expect(run).toExitWith(0);
    expect(run.stdout).toMatch(/^\/[^\n]*\/workspaces\/PIXEL\/6\.1\.145[^\n]*\n$/);
  });

  it.each(['devices', 'pull', 'workspace list --json', 'pull --json', '--help'])(
    'may have no reader: kh %s',
    async (command) => {
      const lab = await startLab({ devices: [pixel()] });
      const run = await kh(command.split(' '), { lab, unread: true });
      expect(run).toExitWith(0);
      expect(run.stderr).not.toMatch(/EPIPE|unexpected|^\s+at /m);
    },
  );

  it.each(['devices', 'pull --json'])('may be on a full disk, which stderr tells: kh %s', async (command) => {
    const lab = await startLab({ devices: [pixel()] });
    const run = await kh(command.split(' '), { lab, full: true });
    expect(run).toExitWith(11);
    expect(run.stderr).toMatch(/^error: cannot write the result: ENOSPC/m);
  });
});

describe('stderr', () => {
  it('is empty with --quiet, but for errors', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const run = await kh(['pull', '--quiet'], { lab });
    expect(run).toExitWith(0);
    expect(run.stderr).toBe('');
    const failed = await kh(['pull', '--quiet', '-s', 'NOWHERE'], { lab });
    expect(failed).toExitWith(3);
    expect(failed.stderr).toMatch(/^error: NOWHERE: /);
  });

  it('has neither colours nor a moving list where it is no terminal', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const run = await kh(['pull'], { lab });
    expect(run.stderr).toMatch(/^PIXEL: /m);
    expect(run.stderr).not.toContain('\u001b');
  });

  it('has no colours on a terminal with NO_COLOR', async () => {
    const colour = /\u001b\[[0-9;]*m/;
    const lab = await startLab({ devices: [pixel({ headers: { kind: 'absent' } })] });
    const terminal = { TERM: 'xterm-256color' };
    const coloured = await kh(['pull'], { lab, tty: true, env: terminal });
    expect(coloured.stderr).toMatch(colour);
    const plain = await kh(['pull'], { lab, tty: true, env: { ...terminal, NO_COLOR: '1' } });
    expect(plain).toExitWith(5);
    expect(plain.stderr).not.toMatch(colour);
  });
});

describe('the command line', () => {
  it.each([
    ['pul', /Did you mean `kh pull`\?/],
    ['workspce list', /Did you mean `kh workspace list`\?/],
    ['pull --manifst x', /Did you mean --manifest\?/],
    ['pull PIXEL', /PIXEL/],
  ])('says what was probably meant by kh %s', async (command, hint) => {
    const run = await kh(command.split(' '));
    expect(run).toExitWith(2);
    expect(run.stderr).toMatch(hint);
    expect(run.stdout).toBe('');
  });

  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const run = await kh(['--version']);
    expect(run).toExitWith(0);
    expect(run.stdout).toMatch(new RegExp(`^kheaders/${version.replaceAll('.', '\\.')} .*\\n$`));
  });

  it.each(['', ...COMMANDS])('explains itself: kh %s --help', async (command) => {
    const run = await kh([...command.split(' ').filter(Boolean), '--help']);
    expect(run).toExitWith(0);
    expect(run.stdout).toContain('USAGE');
    expect(run.stderr).toBe('');
  });
});

describe('a file that is named', () => {
  it('is read from the folder that kh is started in', async () => {
    const cwd = await tempFolder();
    await writeFile(join(cwd, 'list.txt'), `${'0'.repeat(32)}  6.6.6/kheaders.tar.xz\n`);
    const run = await kh(['manifest', 'show', 'list.txt', '--json'], { cwd });
    expect(run).toExitWith(0);
    expect(run.json()).toMatchObject({ result: { form: 'checksum-list', path: join(cwd, 'list.txt') } });
  });
});
