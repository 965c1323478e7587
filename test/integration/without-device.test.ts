import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleExports } from '../../fixtures/images/make-images';
import { formatSymvers } from '../../src/kbuild/symvers/symvers-file';
import { kh, type KhRun } from '../support/kh';
import { pixel, startLab } from '../support/lab';
import { errorOf, pull } from '../support/pull';
import { tempFolder } from '../support/temp-folder';

const RELEASE = '6.1.145-android14-11-gc1de4747ac59-ab14219743';

/** A store with one workspace; runs of kh that are given no lab find no adb server. */
async function pulledHome(): Promise<{ home: string; symvers: string; module: string }> {
  const folder = await tempFolder();
  const home = join(folder, 'home');
  const run = await pull(await startLab({ devices: [pixel()] }), [], { home });
  expect(run).toExitWith(0);
  const symvers = join(folder, 'Module.symvers');
  writeFileSync(symvers, formatSymvers(sampleExports().map((entry) => ({ ...entry, module: 'vmlinux' }))));
  return { home, symvers, module: folder };
}

function result(run: KhRun): Record<string, unknown> {
  return (run.json() as { result: Record<string, unknown> }).result;
}

describe('a workspace that is chosen by its kernel, with no adb server', () => {
  it('gives the symbols that a named file tells, and keeps them', async () => {
    const { home, symvers } = await pulledHome();
    const first = await kh(['symvers', '--kernel', RELEASE, '--symvers', symvers, '--json'], { home });
    expect(first).toExitWith(0);
    expect(result(first)).toMatchObject({ kept: false, symbols: sampleExports().length });
    const again = await kh(['symvers', '-w', 'PIXEL'], { home });
    expect(again).toExitWith(0);
    expect(again.stdout).toBe(`${result(first)['path'] as string}\n`);
  });

  it('is not built against while its symbols are unknown: the error says what to do', async () => {
    const { home, module } = await pulledHome();
    const run = await kh(['build-module', module, '--kernel', RELEASE, '--json'], { home });
    expect(run).toExitWith(8);
    const { code, hint } = errorOf(run);
    expect(code).toBe('SYMVERS_UNAVAILABLE');
    expect(hint).toMatch(/kh symvers.*--boot-image.*--symvers/);
  });

  it.each([['build-module', '.'], ['symvers'], ['env']])('%s says where there is none', async (...args) => {
    const run = await kh([...args, '--kernel', '9.9', '--json'], { home: (await pulledHome()).home });
    expect(run).toExitWith(5);
    expect(errorOf(run)).toMatchObject({
      code: 'WORKSPACE_NOT_FOUND',
      hint: expect.stringContaining(`PIXEL/${RELEASE}`) as string,
    });
  });

  it.each(['--all', '--force'])('does not go together with %s', async (flag) => {
    const run = await kh(['symvers', '--kernel', RELEASE, flag, '--json']);
    expect(run).toExitWith(2);
    expect(errorOf(run).message).toContain(flag);
  });
});

describe('build-module --load with a workspace of another kernel', () => {
  it('is refused before anything is pushed, and names both kernels', async () => {
    const { home, symvers, module } = await pulledHome();
    const lab = await startLab({
      devices: [pixel({ serial: 'OTHER', kernel: { release: '6.1.99-other' } })],
    });
    const args = ['build-module', module, '--kernel', RELEASE, '--symvers', symvers, '--load', '--json'];
    const run = await kh(args, { home, lab });
    expect(run).toExitWith(8);
    const { code, message } = errorOf(run);
    expect(code).toBe('BUILD_OTHER_KERNEL');
    expect(message).toContain('6.1.99-other');
    expect(message).toContain(RELEASE);
    expect(lab.device('OTHER').counters.services['sync']).toBeUndefined();
  });
});

describe('a KH_HOME that make cannot work with', () => {
  it('is refused before anything is transferred', async () => {
    const home = join(await tempFolder(), 'with space');
    const lab = await startLab({ devices: [pixel()] });
    const run = await kh(['build-module', '.', '--json'], { home, lab });
    expect(run).toExitWith(8);
    expect(errorOf(run)).toMatchObject({
      code: 'BUILD_BAD_PATH',
      message: expect.stringMatching(/with space.*there is a space in its path/) as string,
      hint: expect.stringContaining('KH_HOME') as string,
    });
    expect(lab.device('PIXEL').counters.recvStarted).toBe(0);
  });
});
