import { KhError } from '../../core/errors';
import { runTool } from '../toolchain/run-tool';
import type { Toolchain } from '../toolchain/toolchain';
import type { FlagGroup, FlagPlan, PlannedFlag } from './flag-plan';

/** What a kernel's modules are compiled with, by a compiler that has all of it. */
export interface SettledFlags {
  /** Flags for C, in order, by their groups. */
  c: { group: FlagGroup; flags: string[] }[];
  /** Flags for assembler sources. */
  asm: string[];
  afterKconfig: string[];
  /** What is left out or different, in sentences. */
  notes: string[];
}

/** Answers that a compiler gave before: its flags in one line, and whether it took them. */
export type ProbeAnswers = Map<string, boolean>;

/**
 * Asks the compiler for each flag of a plan. What it lacks is left out and
 * noted where that costs only diagnostics.
 *
 * One run tells when it has them all, as the kernel's own compiler does; else
 * each is tried on top of those before it, since some want others.
 *
 * @param answers of earlier runs of the same compiler; gets new ones added
 * @throws KhError BUILD_FLAG_MISSING for a flag whose lack does not compile, load or live; or the signal's reason
 */
export async function settleFlags(
  plan: FlagPlan,
  { compiler }: Pick<Toolchain, 'compiler'>,
  answers: ProbeAnswers,
  signal: AbortSignal,
): Promise<SettledFlags> {
  const takes = async (flags: string[]): Promise<boolean> => {
    const key = flags.join(' ');
    const known = answers.get(key);
    if (known !== undefined) return known;
    const { status } = await runTool(compiler.command, [...flags, '-Werror', ...EMPTY_SOURCE], signal);
    answers.set(key, status === 0);
    return status === 0;
  };
  const rows = plan.flags.flatMap(apart);
  const all = rows.filter(isForC).flatMap(({ flags }) => flags);
  const notes = [...plan.notes];
  const kept = (await takes(all)) ? rows : await oneByOne(rows, takes, compiler, notes);
  return {
    c: kept.filter(isForC).map(({ group, flags }) => ({ group, flags })),
    asm: kept.filter((row) => row.for !== 'c').flatMap(({ flags }) => flags),
    afterKconfig: plan.afterKconfig,
    notes,
  };
}

const EMPTY_SOURCE = ['-c', '-x', 'c', '/dev/null', '-o', '/dev/null'];

async function oneByOne(
  rows: PlannedFlag[],
  takes: (flags: string[]) => Promise<boolean>,
  compiler: Toolchain['compiler'],
  notes: string[],
): Promise<PlannedFlag[]> {
  const kept: PlannedFlag[] = [];
  for (const row of rows) {
    const before = kept.filter(isForC).flatMap(({ flags }) => flags);
    if (!isForC(row) || (await takes([...before, ...row.flags]))) {
      kept.push(row);
      continue;
    }
    if (row.class !== 'diag') throw flagMissing(row, compiler);
    if (row.orElse !== undefined) kept.push({ ...row, flags: row.orElse });
    if (row.config !== undefined) {
      notes.push(`The compiler has no ${row.flags.join(' ')} (CONFIG_${row.config}): ${row.without}.`);
    }
  }
  return kept;
}

/** Warnings stand or fall alone. */
function apart(row: PlannedFlag): PlannedFlag[] {
  return row.group === 'warning' ? row.flags.map((flag) => ({ ...row, flags: [flag] })) : [row];
}

function isForC(row: PlannedFlag): boolean {
  return row.for !== 'asm';
}

function flagMissing(row: PlannedFlag, { command, text }: Toolchain['compiler']): KhError {
  const asks = row.config === undefined ? '' : ` (CONFIG_${row.config})`;
  return new KhError('BUILD_FLAG_MISSING', {
    message: `${command.join(' ')} has no ${row.flags.join(' ')}, which this kernel needs${asks}: without it, ${row.without}`,
    hint: `Choose a compiler that has it: --cc, --llvm. This one is ${text}.`,
    details: { flags: row.flags, class: row.class, config: row.config ?? null, compiler: text },
  });
}

/** What makes two runs of a compiler the same: its words, and what it says of its version. */
export function probeIdentity({ compiler }: Pick<Toolchain, 'compiler'>): string {
  return `${compiler.command.join(' ')}: ${compiler.text}`;
}
