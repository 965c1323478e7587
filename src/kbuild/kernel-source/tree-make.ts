import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { KhError } from '../../core/errors';
import { makeText, makeWords } from '../kdir/make-text';
import type { KernelArch } from '../kernel-config';
import { firstError, makeProcess, printedLines } from '../make-process';
import { binaryTool, type Toolchain } from '../toolchain/toolchain';
import type { HostTools } from './host-tools';

/** A merged source and the folder beside it that its build writes to. */
export interface TreeBuild {
  make: string;
  /** The merged source. */
  source: string;
  /** What `O=` is: objects, generated headers. It is the KDIR for modules. */
  kdirPath: string;
  /** The words for make that choose processor and tools. */
  words: readonly string[];
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/**
 * Tells a kernel's Makefile which tools to take. Each is named: what `LLVM=`
 * stands for differs between versions, and has no form for clang-16 in a folder.
 */
export function toolWords(arch: KernelArch, toolchain: Toolchain, host: HostTools): string[] {
  const { compiler, linker } = toolchain;
  const tools = ['ar', 'nm', 'objcopy', 'objdump', 'readelf', 'strip'];
  return [
    `ARCH=${arch}`,
    ...(compiler.kind === 'clang'
      ? ['LLVM=1', 'LLVM_IAS=1']
      : [`CROSS_COMPILE=${binaryTool(toolchain, '')}`]),
    `CC=${compiler.command.join(' ')}`,
    `LD=${linker.command.join(' ')}`,
    ...tools.map((name) => `${name.toUpperCase()}=${binaryTool(toolchain, name)}`),
    `HOSTCC=${host.cc}`,
    `HOSTCXX=${host.cxx}`,
    `HOSTLD=${host.ld}`,
    `HOSTAR=${host.ar}`,
  ];
}

/**
 * Has the source's own Makefile make `goals`.
 *
 * @throws KhError BUILD_BAD_SOURCE with what it said; or the signal's reason
 */
export async function makeInTree(build: TreeBuild, goals: readonly string[]): Promise<void> {
  const { make, source, kdirPath, words, signal } = build;
  const jobs = `-j${availableParallelism()}`;
  const args = ['-C', source, `O=${kdirPath}`, jobs, ...words, ...goals];
  const outcome = await makeProcess({ make, args, signal, environment: quietEnvironment(build.environment) });
  if (outcome.status === 0) return;
  throw new KhError('BUILD_BAD_SOURCE', {
    message: `the kernel source cannot be prepared: make ${goals.at(-1) ?? ''} failed: ${firstError(outcome)}`,
    hint: `Is it the source of this very kernel? By hand: make -C ${source} O=${kdirPath} ${makeWords(words)} ${goals.join(' ')}`,
    details: { status: outcome.status, output: printedLines(outcome.output).slice(-40) },
  });
}

/** Variables that people have set for builds of their own kernels, and that would turn this one into another. */
const OTHERS = [
  'ARCH',
  'CROSS_COMPILE',
  'KBUILD_OUTPUT',
  'KBUILD_EXTMOD',
  'KBUILD_VERBOSE',
  'KCONFIG_CONFIG',
  'KCONFIG_ALLCONFIG',
  'KCFLAGS',
  'KERNELRELEASE',
  'LOCALVERSION',
  'LLVM',
  'O',
  'M',
];

function quietEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...environment, ...Object.fromEntries(OTHERS.map((name) => [name, undefined])) };
}

/**
 * The text of a GNUmakefile for the KDIR, which make prefers to the Makefile
 * beside it: `make -C KDIR M=… modules` then needs no words for the tools.
 */
export function entryMakefile({ source, words }: TreeBuild): string {
  return `# Made by kh: hands each goal to the kernel's own Makefile, with the tools found for this kernel.
MAKEFLAGS += -rR --no-print-directory
goals := $(or $(MAKECMDGOALS),modules)

.PHONY: kh-build $(goals)
$(goals): kh-build
	@:
kh-build:
	+@$(MAKE) -f ${makeText(join(source, 'Makefile'))} ${makeWords(words)} $(goals)
GNUmakefile: ;
`;
}
