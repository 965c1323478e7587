import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../../core/disk-error';
import { readIfThere } from '../../core/read-if-there';
import { moduleFlags } from '../flags/module-flags';
import { refuseUnsupported } from '../flags/refusals';
import { probeIdentity, settleFlags, type ProbeAnswers } from '../flags/settle-flags';
import {
  kernelArch,
  kernelVersion,
  readKernelConfig,
  type KernelArch,
  type KernelVersion,
} from '../kernel-config';
import type { ToolchainChoice } from '../toolchain/candidates';
import { findToolchain } from '../toolchain/find-toolchain';
import { rememberAnswers } from '../toolchain/tool-answers';
import type { Toolchain } from '../toolchain/toolchain';
import { writeKdir } from './write-kdir';

export interface MakeKdirOptions {
  kdirPath: string;
  headersPath: string;
  /** The kernel's exports in five columns, where they are known. */
  symversPath?: string | undefined;
  /** What was asked for on the command line. */
  choice?: ToolchainChoice;
  /** The command that runs modpost, as its words; by default kh's own. */
  modpost?: readonly string[];
  signal: AbortSignal;
}

/** A kdir that can be built with. */
export interface MadeKdir {
  arch: KernelArch;
  version: KernelVersion;
  toolchain: Toolchain;
  /** What modules lack that the kernel has, and what differs, in sentences. */
  notes: string[];
}

/**
 * From a headers tree to a kdir: reads the kernel's configuration, finds a
 * compiler, works out the flags, asks the compiler for them, and writes.
 *
 * @throws KhError BUILD_*, TOOLCHAIN_MISSING, STORE_*; or the signal's reason
 */
export async function makeKdir(options: MakeKdirOptions): Promise<MadeKdir> {
  const { kdirPath, headersPath, choice, signal } = options;
  const config = readKernelConfig(headersPath);
  const arch = kernelArch(config);
  const version = kernelVersion(headersPath);
  refuseUnsupported(config, version);
  const { ask, save } = await rememberAnswers(join(kdirPath, 'kh/tools.json'));
  const toolchain = await findToolchain({ config, arch, signal, ask, ...(choice && { choice }) });
  const plan = moduleFlags({
    config,
    version,
    arch,
    compiler: toolchain.compiler,
    stackCanaryOffset: await stackCanaryOffset(headersPath),
  });
  const flags = await withProbeAnswers(kdirPath, probeIdentity(toolchain), (answers) =>
    settleFlags(plan, toolchain, answers, signal),
  );
  await writeKdir({ ...options, config, arch, version, toolchain, flags, ask });
  await save();
  return { arch, version, toolchain, notes: [...toolchain.notes, ...flags.notes] };
}

/** TSK_STACK_CANARY: bytes from a task's start to its canary; undefined where the kernel has none. */
async function stackCanaryOffset(headersPath: string): Promise<number | undefined> {
  const text = await readIfThere(join(headersPath, 'include/generated/asm-offsets.h'));
  const written = /^#define TSK_STACK_CANARY (\d+)/m.exec(text ?? '')?.[1];
  return written === undefined ? undefined : Number(written);
}

/** Runs `work` with what the same compiler answered before, and keeps what it answers now. */
async function withProbeAnswers<T>(
  kdirPath: string,
  identity: string,
  work: (answers: ProbeAnswers) => Promise<T>,
): Promise<T> {
  const path = join(kdirPath, 'kh/compiler.json');
  const answers = parseAnswers(await readIfThere(path), identity);
  const known = answers.size;
  const result = await work(answers);
  if (answers.size > known) {
    try {
      await mkdir(join(kdirPath, 'kh'), { recursive: true });
      await writeFile(path, JSON.stringify({ compiler: identity, answers: Object.fromEntries(answers) }));
    } catch (error) {
      throw diskError(error, path);
    }
  }
  return result;
}

/** A file that is damaged, or of another compiler, answers nothing. */
function parseAnswers(text: string | undefined, identity: string): ProbeAnswers {
  try {
    const kept = JSON.parse(text ?? '{}') as { compiler?: unknown; answers?: Record<string, unknown> };
    if (kept.compiler !== identity) return new Map();
    return new Map(Object.entries(kept.answers ?? {}).map(([flags, takes]) => [flags, takes === true]));
  } catch (error) {
    if (error instanceof SyntaxError) return new Map();
    throw error;
  }
}
