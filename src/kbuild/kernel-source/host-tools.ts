import { KhError } from '../../core/errors';
import type { KernelConfig } from '../kernel-config';
import { identifyCompiler, type Surroundings } from '../toolchain/identify';
import { runTool } from '../toolchain/run-tool';
import { binaryTool, type Toolchain } from '../toolchain/toolchain';

/** The compiler for programs that the kernel's build runs on this machine, and what goes with it. */
export interface HostTools {
  cc: string;
  cxx: string;
  ld: string;
  ar: string;
}

/** Programs that the preparation of a source runs, with Debian's package and a question that each answers. */
const PROGRAMS: { program: string; debian: string; args: string[] }[] = [
  { program: 'flex', debian: 'flex', args: ['--version'] },
  { program: 'bison', debian: 'bison', args: ['--version'] },
  { program: 'bc', debian: 'bc', args: ['--version'] },
  { program: 'perl', debian: 'perl', args: ['-e', '1'] },
];

/**
 * Finds what the preparation of a kernel source needs on this machine, before
 * it ends in the middle for the lack of it.
 *
 * @throws KhError TOOLCHAIN_MISSING with the names of Debian's packages; or the signal's reason
 */
export async function findHostTools(
  config: KernelConfig,
  toolchain: Toolchain,
  around: Surroundings,
): Promise<HostTools> {
  const { signal, environment } = around;
  const missing: { what: string; debian: string }[] = [];
  for (const { program, debian, args } of PROGRAMS) {
    const { status } = await runTool([program], args, signal, environment);
    if (status !== 0) missing.push({ what: program, debian });
  }
  const tools = await hostCompiler(toolchain, around);
  if (tools === undefined) missing.push({ what: 'a C compiler for this machine', debian: 'gcc' });
  else if (needsObjtool(config) && !(await hasHeader('gelf.h', tools, around)))
    missing.push({ what: 'gelf.h, which objtool is built with', debian: 'libelf-dev' });
  if (tools !== undefined && missing.length === 0) return tools;
  throw new KhError('TOOLCHAIN_MISSING', {
    message: `preparing a kernel source takes what is not on this machine: ${missing.map(({ what }) => what).join(', ')}`,
    hint: `On Debian and Ubuntu: apt install ${missing.map(({ debian }) => debian).join(' ')}`,
    details: { missing: missing.map(({ what }) => what), packages: missing.map(({ debian }) => debian) },
  });
}

/** gcc where it is there, else clang; else the compiler of the modules, which can mostly do it. */
async function hostCompiler(toolchain: Toolchain, around: Surroundings): Promise<HostTools | undefined> {
  const own = toolchain.compiler.command.at(-1) ?? '';
  const ofModules: HostTools = {
    cc: own,
    cxx: own.replace(/clang(-\d+)?$/, 'clang++$1'),
    ld: toolchain.linker.command.join(' '),
    ar: binaryTool(toolchain, 'ar'),
  };
  const choices: HostTools[] = [
    { cc: 'gcc', cxx: 'g++', ld: 'ld', ar: 'ar' },
    { cc: 'clang', cxx: 'clang++', ld: 'ld.lld', ar: 'llvm-ar' },
    ...(toolchain.compiler.kind === 'clang' ? [ofModules] : []),
  ];
  for (const tools of choices) {
    if ((await identifyCompiler([tools.cc], around)) !== undefined) return tools;
  }
  return undefined;
}

/** As the kernel's Makefile decides: CONFIG_OBJTOOL from 5.19 on, before that by what needs it. */
function needsObjtool(config: KernelConfig): boolean {
  return ['OBJTOOL', 'STACK_VALIDATION', 'UNWINDER_ORC'].some((name) => config.isOn(name));
}

async function hasHeader(header: string, { cc }: HostTools, around: Surroundings): Promise<boolean> {
  const args = ['-E', '-include', header, '-x', 'c', '/dev/null', '-o', '/dev/null'];
  return (await runTool([cc], args, around.signal, around.environment)).status === 0;
}
