import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FlagPlan, PlannedFlag } from '../../../../src/kbuild/flags/flag-plan';
import { settleFlags, type ProbeAnswers } from '../../../../src/kbuild/flags/settle-flags';
import type { Toolchain } from '../../../../src/kbuild/toolchain/toolchain';
import { tempFolder } from '../../../support/temp-folder';

jest.setTimeout(60_000); // Commands take their time on a busy machine.

/** A compiler that refuses flags, and `-fneeds-x` without `-fx`; and how often it was run. */
async function compilerWithout(...refused: string[]) {
  const folder = await tempFolder();
  const path = join(folder, 'cc');
  const log = join(folder, 'runs');
  await writeFile(log, '');
  await writeFile(
    path,
    `#!/bin/sh\necho run >>${log}\nx=\nfor a; do case $a in -fx) x=y;; -fneeds-x) [ "$x" ] || exit 1;; ${['-never', ...refused].join('|')}) exit 1;; esac; done\n`,
  );
  await chmod(path, 0o755);
  const compiler: Toolchain['compiler'] = {
    kind: 'clang',
    version: 160006,
    command: [path],
    text: 'fake clang 16',
  };
  const runs = async () => (await readFile(log, 'utf8')).split('\n').length - 1;
  return { compiler, runs };
}

function row(flag: string, more: Partial<PlannedFlag> = {}): PlannedFlag {
  return {
    flags: [flag],
    class: 'diag',
    without: 'something is lost',
    config: undefined,
    group: 'base',
    for: 'c',
    orElse: undefined,
    ...more,
  };
}

function plan(...flags: PlannedFlag[]): FlagPlan {
  return { flags, afterKconfig: [], notes: ['known before'] };
}

const settle = (made: FlagPlan, compiler: Toolchain['compiler'], answers: ProbeAnswers = new Map()) =>
  settleFlags(made, { compiler }, answers, AbortSignal.timeout(30_000));

const words = ({ c }: Awaited<ReturnType<typeof settle>>) => c.flatMap(({ flags }) => flags);

describe('settleFlags', () => {
  it('asks a compiler once that has all flags', async () => {
    const { compiler, runs } = await compilerWithout();
    const settled = await settle(plan(row('-fx'), row('-fneeds-x'), row('-Dasm', { for: 'asm' })), compiler);
    expect([words(settled), settled.asm, await runs()]).toEqual([['-fx', '-fneeds-x'], ['-Dasm'], 1]);
    expect(settled.notes).toEqual(['known before']);
  });

  it('leaves out what costs diagnostics, and says so where the kernel asks for it', async () => {
    const { compiler } = await compilerWithout('-fy', '-fz');
    const settled = await settle(
      plan(row('-fx'), row('-fy', { config: 'Y' }), row('-fz'), row('-fneeds-x')),
      compiler,
    );
    expect(words(settled)).toEqual(['-fx', '-fneeds-x']);
    expect(settled.notes).toEqual(['known before', 'The compiler has no -fy (CONFIG_Y): something is lost.']);
  });

  it('takes what is to be taken in place of a flag that is missing', async () => {
    const { compiler } = await compilerWithout('-fstack');
    const settled = await settle(plan(row('-fstack', { orElse: ['-fno-stack'] })), compiler);
    expect(words(settled)).toEqual(['-fno-stack']);
  });

  it('drops one unknown warning without the others of its row', async () => {
    const { compiler } = await compilerWithout('-Wnew');
    const warnings = row('-Wold', { flags: ['-Wold', '-Wnew', '-Wother'], group: 'warning' });
    expect(words(await settle(plan(warnings), compiler))).toEqual(['-Wold', '-Wother']);
  });

  it.each(['crash', 'load', 'compile'] as const)(
    'stops at a missing flag of class %s, with the reason',
    async (kind) => {
      const { compiler } = await compilerWithout('-fsanitize=kcfi');
      const made = plan(row('-fsanitize=kcfi', { class: kind, config: 'CFI_CLANG', without: 'it crashes' }));
      await expect(settle(made, compiler)).rejects.toMatchObject({
        code: 'BUILD_FLAG_MISSING',
        message: expect.stringMatching(/has no -fsanitize=kcfi, .*CONFIG_CFI_CLANG.* it crashes$/) as string,
        hint: expect.stringContaining('fake clang 16') as string,
        details: { class: kind, config: 'CFI_CLANG' },
      });
    },
  );

  it('asks nothing that was answered before', async () => {
    const { compiler, runs } = await compilerWithout('-fy');
    const answers: ProbeAnswers = new Map();
    const made = plan(row('-fx'), row('-fy'));
    const first = await settle(made, compiler, answers);
    const before = await runs();
    expect(words(await settle(made, compiler, answers))).toEqual(words(first));
    expect([before > 0, await runs()]).toEqual([true, before]);
  });

  it('ends with the signal’s reason', async () => {
    const { compiler } = await compilerWithout();
    const reason = new Error('stopped');
    await expect(
      settleFlags(plan(row('-fx')), { compiler }, new Map(), AbortSignal.abort(reason)),
    ).rejects.toBe(reason);
  });
});
