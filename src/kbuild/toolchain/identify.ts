import type { Compiler } from '../flags/flag-plan';
import { runTool } from './run-tool';
import type { AskTool } from './tool-answers';
import type { Toolchain, ToolCommand } from './toolchain';

/** Where tools are looked for, and until when. */
export interface Surroundings {
  signal: AbortSignal;
  environment: NodeJS.ProcessEnv;
  /** How tools are asked; without a memory when left out. */
  ask?: AskTool;
}

/**
 * Asks a command what compiler it is, by macros rather than prose: vendors
 * write `--version` as they like.
 *
 * @returns undefined when there is no such command, or it is no C compiler
 */
export async function identifyCompiler(
  command: ToolCommand,
  { signal, environment, ask = runTool }: Surroundings,
): Promise<Toolchain['compiler'] | undefined> {
  const macros = await ask(command, ['-E', '-dM', '-x', 'c', '/dev/null'], signal, environment);
  const compiler = macros.status === 0 ? compilerOf(macros.output) : undefined;
  if (compiler === undefined) return undefined;
  const said = await ask(command, ['--version'], signal, environment);
  return { ...compiler, command, text: firstLine(said.output) };
}

function compilerOf(macros: string): Compiler | undefined {
  const clang = versionOf(macros, '__clang_major__', '__clang_minor__', '__clang_patchlevel__');
  if (clang !== undefined) return { kind: 'clang', version: clang };
  const gcc = versionOf(macros, '__GNUC__', '__GNUC_MINOR__', '__GNUC_PATCHLEVEL__');
  return gcc === undefined ? undefined : { kind: 'gcc', version: gcc };
}

function versionOf(macros: string, ...names: [string, string, string]): number | undefined {
  const [major, minor, patch] = names.map((name) =>
    Number(new RegExp(`^#define ${name} (\\d+)$`, 'm').exec(macros)?.[1]),
  ) as [number, number, number];
  return Number.isNaN(major) ? undefined : major * 10_000 + minor * 100 + patch;
}

/**
 * Asks a command whether it is a linker.
 *
 * @returns undefined when there is no such command
 */
export async function identifyLinker(
  command: ToolCommand,
  { signal, environment, ask = runTool }: Surroundings,
): Promise<Toolchain['linker'] | undefined> {
  const { status, output } = await ask(command, ['--version'], signal, environment);
  return status === 0 ? { command, text: firstLine(output) } : undefined;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
