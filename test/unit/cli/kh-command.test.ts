import { Config } from '@oclif/core/config';
import * as Flags from '@oclif/core/flags';
import { deviceFlags } from '../../../src/cli/flags/device-flags';
import { KhCommand } from '../../../src/cli/kh-command';
import type { Envelope } from '../../../src/cli/envelope';
import { KhError } from '../../../src/core/errors';
import type { DeviceOutcome } from '../../../src/core/outcome';

/** Does what the test wants done. */
class Sample extends KhCommand {
  static override id = 'sample';
  static override flags = { ...deviceFlags, size: Flags.integer() };
  static act: (command: Sample) => Promise<Envelope>;

  async run(): Promise<Envelope> {
    await this.parse(Sample);
    return Sample.act(this);
  }

  execute(): Promise<unknown> {
    return this._run();
  }

  finish(result: object, text: string): Promise<Envelope> {
    return this.done({ result }, text);
  }

  finishOver(outcomes: DeviceOutcome<object>[], text: string): Promise<Envelope> {
    return this.doneOver(outcomes, text);
  }

  async warnOf(message: string): Promise<void> {
    const { emit } = await this.work({ quiet: false, verbose: false });
    emit({ type: 'warning', message });
  }
}

/** As oclif loads it, without its look at the machine: that needs `import()`, which jest does not have. */
const config = Object.assign(new Config({ root: __dirname }), {
  bin: 'kh',
  pjson: { name: 'kh', version: '0.0.0', oclif: {} },
  findCommand: () => Sample,
  runHook: () => Promise.resolve({ successes: [], failures: [] }),
});

const { KH_LAB } = process.env;
beforeAll(() => {
  process.env['KH_LAB'] = 'none';
});
afterAll(() => {
  if (KH_LAB === undefined) delete process.env['KH_LAB'];
  else process.env['KH_LAB'] = KH_LAB;
});

/** Runs it in this process; what it writes and the exit code come back. */
async function run(argv: string[], act: (command: Sample) => Promise<Envelope>) {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  const before = process.exitCode;
  process.exitCode = undefined;
  Sample.act = act;
  try {
    await new Sample(argv, config).execute();
    return { ...written, exitCode: process.exitCode };
  } finally {
    process.exitCode = before;
    spies.forEach((spy) => spy.mockRestore());
  }
}

const fine = (command: Sample) => command.finish({ path: '/kh' }, '/kh\n');
const denied = () =>
  Promise.reject(new KhError('HEADERS_DENIED', { serial: 'A', message: 'denied', hint: 'Try su.' }));
const json = (text: string) => JSON.parse(text) as unknown;

describe('a command that is done', () => {
  it('prints its text on stdout, and nothing else', async () => {
    expect(await run([], fine)).toEqual({ stdout: '/kh\n', stderr: '', exitCode: 0 });
  });

  it('prints one document instead under --json', async () => {
    const { stdout, stderr, exitCode } = await run(['--json'], fine);
    expect(json(stdout)).toEqual({ status: 'ok', exitCode: 0, result: { path: '/kh' }, warnings: [] });
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  });

  it('puts warnings on stderr, and into the document as well', async () => {
    const { stdout, stderr } = await run(['--json'], async (command) => {
      await command.warnOf('old adb');
      return fine(command);
    });
    expect(json(stdout)).toMatchObject({ warnings: [{ message: 'old adb' }] });
    expect(stderr).toBe('warning: old adb\n');
  });
});

describe('a command that fails', () => {
  it('says why and what to do on stderr', async () => {
    expect(await run([], denied)).toEqual({
      stdout: '',
      stderr: 'error: A: denied\n  Try su.\n',
      exitCode: 5,
    });
  });

  it('has the same exit code under --json, and the error in the document', async () => {
    const { stdout, stderr, exitCode } = await run(['--json'], denied);
    expect(json(stdout)).toEqual({
      status: 'failed',
      exitCode: 5,
      error: { code: 'HEADERS_DENIED', exitCode: 5, message: 'A: denied', serial: 'A', hint: 'Try su.' },
      warnings: [],
    });
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 5 });
  });

  it.each([[[]], [['--json']]])('exits with 1 for a bug, with no stack unless asked (%j)', async (flags) => {
    const bug = () => Promise.reject(new TypeError('x is not a function'));
    const { stdout, stderr, exitCode } = await run(flags, bug);
    expect(exitCode).toBe(1);
    expect(stdout + stderr).toContain('unexpected failure in kh: x is not a function');
    expect(stdout + stderr).not.toContain('    at ');
  });

  it('shows the stack of a bug, and of its cause, with --verbose', async () => {
    const bug = () => Promise.reject(new TypeError('x is not a function'));
    const { stderr } = await run(['--verbose'], bug);
    expect(stderr).toMatch(/caused by: TypeError: x is not a function\n +at /);
  });
});

describe('a command over devices of which some failed', () => {
  const outcomes: DeviceOutcome<object>[] = [
    { serial: 'A', name: 'A', status: 'ok', milliseconds: 12, result: { workspace: '/kh/A' } },
    {
      serial: 'B',
      name: 'B',
      status: 'failed',
      milliseconds: 3,
      error: { code: 'DEVICE_LOST', exitCode: 4, message: 'B: lost' },
    },
  ];
  const partly = (command: Sample) => command.finishOver(outcomes, 'A\t/kh/A\n');

  it('exits with 10 and prints what was done', async () => {
    expect(await run([], partly)).toEqual({ stdout: 'A\t/kh/A\n', stderr: '', exitCode: 10 });
  });

  it('has one entry a device in the document, in the order asked', async () => {
    const { stdout, exitCode } = await run(['--json'], partly);
    expect(json(stdout)).toEqual({
      status: 'partial',
      exitCode: 10,
      devices: outcomes,
      servers: [],
      warnings: [],
    });
    expect(exitCode).toBe(10);
  });
});

describe('a command line that is wrong', () => {
  it.each([
    [['--sze', '1'], 'there is no flag --sze', 'Did you mean --size?'],
    [['--size', 'big'], '--size: Expected an integer but received: big', '--help'],
    [['--timeout', '5x'], '--timeout: 5x is no length of time', '--help'],
    [['--all', '-s', 'A'], '--serial and --all exclude each other', '--help'],
    [['--quiet', '--verbose'], '--verbose and --quiet exclude each other', '--help'],
    [['extra'], 'Unexpected argument: extra', '--help'],
  ])('%j exits with 2 and says what is wrong with it', async (argv, message, hint) => {
    const text = await run(argv, fine);
    expect(text).toMatchObject({ exitCode: 2, stdout: '' });
    expect(text.stderr).toContain(message);
    expect(text.stderr).toContain(hint);

    const document = await run(['--json', ...argv], fine);
    expect(document).toMatchObject({ exitCode: 2, stderr: '' });
    expect(json(document.stdout)).toMatchObject({
      status: 'failed',
      error: { code: 'USAGE', exitCode: 2, message: expect.stringContaining(message) as string },
    });
  });
});
