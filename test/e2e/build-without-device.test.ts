import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Build } from '../../src/app/build-module';
import type { CompileCommand } from '../../src/kbuild/compile-commands/compile-commands';
import { kh } from '../support/kh';
import { errorOf } from '../support/pull';
import { tempFolder } from '../support/temp-folder';
import { bootGuest, describeOnRig, stopAdbServer, type Guest } from './support/rig';

const FIXTURES = resolve(__dirname, '../../fixtures/modules');
const run = promisify(execFile);

afterAll(stopAdbServer);

describeOnRig('modules built against a workspace that was pulled before', () => {
  let guest: Guest;
  let home: string;
  let release: string;
  beforeAll(async () => {
    home = await tempFolder();
    guest = await bootGuest({ kernel: 'arm64-6.1' });
    release = (await guest.adb('shell', 'uname -r')).trim();
    expect(await kh(['symvers'], { home, env: guest.env, timeoutMs: 120_000 })).toExitWith(0);
  });
  afterAll(() => guest[Symbol.asyncDispose]());

  /** With no adb server that answers. */
  const build = (module: string, ...args: string[]) =>
    kh(['build-module', join(FIXTURES, module), '--kernel', release, '--json', ...args], {
      home,
      timeoutMs: 120_000,
    });

  it('load on the device once it is back', async () => {
    const built = await build('hello');
    expect(built).toExitWith(0);
    const { modules } = (built.json() as { result: Build }).result;
    const loaded = await kh(['load-module', modules[0]?.path ?? ''], { home, env: guest.env });
    expect(loaded).toExitWith(0);
    expect(await kh(['unload-module', 'hello'], { home, env: guest.env })).toExitWith(0);
  });

  it('come with a list of compile commands that clang takes, each of them', async () => {
    const file = join(home, 'compile_commands.json');
    const first = await build('composite', '--compile-commands-file', file);
    expect(first).toExitWith(0);
    const commands = JSON.parse(readFileSync(file, 'utf8')) as CompileCommand[];
    expect(
      commands.map(({ file: source }) => source.slice(join(FIXTURES, 'composite').length + 1)).sort(),
    ).toEqual(['farewell.c', 'main.c', 'parts/sum.c', 'table.c', 'twice.S']);
    for (const {
      directory,
      arguments: [clang = '', ...words],
    } of commands) {
      await run(clang, [...words, '-fsyntax-only'], { cwd: directory });
    }
    expect(existsSync(join(FIXTURES, 'composite', 'compile_commands.json'))).toBe(false);
  });

  it('give what the compiler said as data where it failed', async () => {
    const failed = await build('refused/compile_error');
    expect(failed).toExitWith(8);
    const { code, details } = errorOf(failed);
    expect(code).toBe('BUILD_FAILED');
    const file = join(FIXTURES, 'refused/compile_error/kh_compile_error.c');
    expect(details?.['diagnostics']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ file, line: 7, severity: 'warning' }),
        expect.objectContaining({ severity: 'note' }),
        {
          file,
          line: 8,
          column: 9,
          severity: 'error',
          text: "use of undeclared identifier 'no_such_variable'",
        },
      ]),
    );
    expect(failed.stderr).toContain(`${file}:8:9: error: use of undeclared identifier 'no_such_variable'`);
  });
});
