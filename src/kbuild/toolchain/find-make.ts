import { KhError } from '../../core/errors';
import { runTool } from './run-tool';

/** The first GNU make with `$(file <…)`, which the kdir's Makefiles read their records with. */
const OLDEST = [4, 2] as const;

/**
 * The GNU make of this machine.
 *
 * @param named a command to take in place of `gmake` and `make`
 * @throws KhError TOOLCHAIN_MISSING when there is none, or only one that is too old; or the signal's reason
 */
export async function findMake(signal: AbortSignal, named?: string): Promise<string> {
  const looked: string[] = [];
  for (const command of named === undefined ? ['make', 'gmake'] : [named]) {
    const { status, output } = await runTool([command], ['--version'], signal);
    if (status === undefined) continue;
    const found = /^GNU Make (\d+)\.(\d+)/.exec(output);
    if (found !== null && isNewEnough(Number(found[1]), Number(found[2]))) return command;
    looked.push(`${command} is ${found?.[0] ?? 'another make'}`);
  }
  const why = looked.length === 0 ? 'there is no make' : looked.join(', ');
  throw new KhError('TOOLCHAIN_MISSING', {
    message: `modules are built with GNU make ${OLDEST.join('.')} or later: ${why}`,
    hint: 'Install GNU make (on macOS: brew install make, which gives gmake).',
  });
}

function isNewEnough(major: number, minor: number): boolean {
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
