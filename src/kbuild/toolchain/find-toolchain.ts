import { KhError } from '../../core/errors';
import type { KernelArch, KernelConfig } from '../kernel-config';
import {
  chosen,
  ndkCandidates,
  pathClangs,
  pathGccs,
  type Candidate,
  type ToolchainChoice,
} from './candidates';
import { identifyCompiler, identifyLinker, type Surroundings } from './identify';
import { runTool } from './run-tool';
import { differences, kernelCompiler, whyUnsuitable } from './suitability';
import type { AskTool } from './tool-answers';
import { majorVersion, versionText, type Toolchain } from './toolchain';

export interface ToolchainRequest {
  config: KernelConfig;
  arch: KernelArch;
  /** What was asked for on the command line. */
  choice?: ToolchainChoice;
  /** The environment to search; the process's own by default. */
  environment?: NodeJS.ProcessEnv;
  /** How tools are asked; without a memory when left out. */
  ask?: AskTool;
  signal: AbortSignal;
}

type Search = ToolchainRequest & Surroundings;

const FLAG_NAMES = { cc: '--cc', llvm: '--llvm', crossCompile: '--cross-compile' };
const VARIABLES = { cc: 'CC', llvm: 'LLVM', crossCompile: 'CROSS_COMPILE' };

/**
 * Finds a compiler and a linker for a kernel's modules: those that were asked
 * for, by flags or else by LLVM, CC and CROSS_COMPILE in the environment;
 * where none were, the Android NDK's, then clang on the PATH, the nearest to
 * the kernel's own version first. A kernel that gcc built prefers gcc.
 *
 * @throws KhError TOOLCHAIN_MISSING; BUILD_TOOLCHAIN_MISMATCH when the one that was asked for cannot do; or the signal's reason
 */
export async function findToolchain(request: ToolchainRequest): Promise<Toolchain> {
  const { environment = process.env, choice = {} } = request;
  const search = { ...request, environment };
  const wanted =
    chosen(choice, 'flags', FLAG_NAMES) ?? chosen(fromEnvironment(environment), 'environment', VARIABLES);
  if (wanted !== undefined) return insistOn(wanted, search);

  const rejected: string[] = [];
  for (const candidate of candidates(search)) {
    const outcome = await examine(candidate, search);
    if ('toolchain' in outcome) return outcome.toolchain;
    if (outcome.why !== undefined) rejected.push(outcome.why);
  }
  throw missing(request.config, request.arch, rejected);
}

function fromEnvironment(environment: NodeJS.ProcessEnv): ToolchainChoice {
  const set = (name: string): string | undefined => environment[name]?.trim() || undefined;
  return { cc: set('CC'), llvm: set('LLVM'), crossCompile: set('CROSS_COMPILE'), ld: set('LD') };
}

function candidates({ config, arch, environment }: Search): Candidate[] {
  const own = kernelCompiler(config);
  const major = (kind: string): number | undefined =>
    own?.kind === kind ? majorVersion(own.version) : undefined;
  const clangs = [...ndkCandidates(environment), ...pathClangs(environment, major('clang'))];
  return own?.kind === 'gcc' ? [...pathGccs(environment, arch, major('gcc')), ...clangs] : clangs;
}

/** What came of a look at a candidate. `why` is undefined for one that is not there at all. */
type Examined = { toolchain: Toolchain } | { why: string | undefined; absent?: 'compiler' | 'linker' };

async function examine(candidate: Candidate, search: Search): Promise<Examined> {
  const { config, arch } = search;
  const compiler = await identifyCompiler(candidate.compiler, search);
  if (compiler === undefined) return { why: undefined, absent: 'compiler' };
  const name = `${candidate.compiler.join(' ')} (${compiler.kind} ${versionText(compiler.version)})`;
  const why = whyUnsuitable(config, compiler) ?? (await whyNoTarget(compiler, arch, search));
  if (why !== undefined) return { why: `${name}: ${why}` };
  for (const command of candidate.linkers) {
    const linker = await identifyLinker(command, search);
    if (linker === undefined) continue;
    const notes = differences(config, compiler);
    return { toolchain: { compiler, linker, origin: candidate.origin, notes } };
  }
  const linkers = candidate.linkers.map((command) => command.join(' ')).join(' or ');
  return { why: `${name}: the linker that goes with it, ${linkers}, is not there`, absent: 'linker' };
}

/** clang may be built for some processors only; gcc always is for one. */
async function whyNoTarget(
  { kind, command }: Toolchain['compiler'],
  arch: KernelArch,
  { signal, environment, ask = runTool }: Surroundings,
): Promise<string | undefined> {
  const machine = arch === 'arm64' ? 'aarch64' : 'x86_64';
  if (kind === 'gcc') {
    const { output } = await ask(command, ['-dumpmachine'], signal, environment);
    return output.startsWith(machine) ? undefined : `it builds for ${output.trim()}, not for ${machine}`;
  }
  const target = [`--target=${machine}-linux-gnu`, '-c', '-x', 'c', '/dev/null', '-o', '/dev/null'];
  const { status } = await ask(command, target, signal, environment);
  return status === 0 ? undefined : `it does not build for ${machine}`;
}

async function insistOn(candidate: Candidate, search: Search): Promise<Toolchain> {
  const outcome = await examine(candidate, search);
  if ('toolchain' in outcome) return outcome.toolchain;
  const { absent, why } = outcome;
  if (absent === undefined) {
    throw new KhError('BUILD_TOOLCHAIN_MISMATCH', {
      message: `the compiler of ${candidate.because} cannot build for this kernel: ${why ?? ''}`,
      hint: 'Choose another one (--cc, --llvm), or leave the choice to kh.',
      details: { command: candidate.compiler.join(' ') },
    });
  }
  throw new KhError('TOOLCHAIN_MISSING', {
    message:
      why ?? `there is no compiler ${candidate.compiler.join(' ')}, which ${candidate.because} asks for`,
    hint: 'Install it, choose another one (--cc, --llvm), or leave the choice to kh.',
    details: { command: candidate.compiler.join(' ') },
  });
}

function missing(config: KernelConfig, arch: KernelArch, rejected: string[]): KhError {
  const own = kernelCompiler(config);
  const text = own === undefined ? '' : `; the kernel was built with ${own.text || own.kind}`;
  const why = rejected.length === 0 ? '' : ` (${rejected.join('; ')})`;
  return new KhError('TOOLCHAIN_MISSING', {
    message: `no compiler on this machine builds modules for this ${arch} kernel${why}${text}`,
    hint: installHint(own?.kind, own === undefined ? 0 : majorVersion(own.version), arch),
    details: { arch, rejected },
  });
}

function installHint(kind: 'clang' | 'gcc' | undefined, major: number, arch: KernelArch): string {
  const clang = major >= 16 ? `clang-${major} and lld-${major}` : 'clang and lld, version 16 or later';
  const clangHint = `Install ${clang}, or the Android NDK and set ANDROID_NDK_HOME.`;
  if (kind !== 'gcc') return clangHint;
  const gcc = arch === 'arm64' ? 'gcc-aarch64-linux-gnu' : 'gcc-x86-64-linux-gnu';
  return `Install ${gcc}, or ${clangHint.charAt(0).toLowerCase()}${clangHint.slice(1)}`;
}
