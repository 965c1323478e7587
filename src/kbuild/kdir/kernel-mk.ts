import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FlagGroup } from '../flags/flag-plan';
import type { SettledFlags } from '../flags/settle-flags';
import { headerText } from '../header-text';
import { isAtLeast, type KernelArch, type KernelConfig, type KernelVersion } from '../kernel-config';
import type { CallSiteForm } from '../modpost/call-sites';
import { binaryTool, type Toolchain } from '../toolchain/toolchain';
import { makeText, makeWord, makeWords } from './make-text';

export interface KernelMkInputs {
  kdirPath: string;
  headersPath: string;
  arch: KernelArch;
  config: KernelConfig;
  version: KernelVersion;
  toolchain: Toolchain;
  flags: SettledFlags;
  /** The command of modpost, as its words. */
  modpost: readonly string[];
  /** The command that lists how objects are compiled, as its words. */
  compileCommands: readonly string[];
  /** The compiler's own headers, where kernels before 5.15 take <stdarg.h> from. */
  compilerHeaders: string;
}

/** The name that the kernel's tree has for a processor's folder. */
export function sourceArch(arch: KernelArch): 'arm64' | 'x86' {
  return arch === 'arm64' ? 'arm64' : 'x86';
}

/** The text of `kernel.mk`: all in a kdir's Makefiles that depends on the kernel and the compiler. */
export function kernelMk(inputs: KernelMkInputs): string {
  const { arch, version, headersPath, toolchain, modpost } = inputs;
  const compiler = toolchain.compiler;
  const target = compiler.kind === 'clang' ? [`--target=${machine(arch)}-linux-gnu`] : [];
  const sections = [
    '# Made by kh for one kernel and one compiler: do not edit.',
    assignments({
      'override ARCH': arch,
      SRCARCH: sourceArch(arch),
      UTS_MACHINE: machine(arch),
      kh_arch_names: arch === 'arm64' ? 'arm64 aarch64' : 'x86_64 x86 i386',
      KERNELRELEASE: makeText(version.release),
      KERNELVERSION: `${version.major}.${version.minor}.${version.patch}`,
      kh_headers: makeWord(headersPath),
      kh_modname_prefix: modnamePrefix(headersPath),
      kh_modpost: makeWords(modpost),
      kh_call_sites: callSiteForm(inputs) ?? '',
      kh_compile_commands: makeWords(inputs.compileCommands),
    }),
    assignments({
      kh_cc: makeWords(compiler.command),
      kh_cc_target: target.join(' '),
      kh_cc_version: String(compiler.version),
      kh_ld: makeWords(toolchain.linker.command),
      kh_ldflags: linkerFlags(arch, toolchain).join(' '),
      KBUILD_LDFLAGS_MODULE: '--build-id=sha1',
    }),
    assignments(toolNames(toolchain)),
    assignments(includes(inputs)),
    assignments(flagVariables(inputs.flags)),
  ];
  return `${sections.join('\n\n')}\n`;
}

/**
 * What modpost is to make of the calls of `__fentry__`; undefined where the
 * compiler lists them itself, or ftrace does not go by them.
 *
 * @see FTRACE_MCOUNT_USE_OBJTOOL and CC_USING_NOP_MCOUNT in kernel/trace/Kconfig and Makefile, since 5.12
 */
function callSiteForm({ arch, config, toolchain }: KernelMkInputs): CallSiteForm | undefined {
  if (arch !== 'x86_64' || toolchain.compiler.kind !== 'clang' || !config.isOn('DYNAMIC_FTRACE'))
    return undefined;
  return config.isOn('FTRACE_MCOUNT_USE_OBJTOOL') ? 'nops' : 'calls';
}

/**
 * What stands before a module's name in __KBUILD_MODNAME: nothing, where the
 * headers put it there themselves.
 *
 * @see __initcall_id in include/linux/init.h, of 6.12 and of 7.3
 */
function modnamePrefix(headersPath: string): string {
  return headerText(headersPath, 'include/linux/init.h').includes('__PASTE(kmod_,') ? '' : 'kmod_';
}

function machine(arch: KernelArch): string {
  return arch === 'arm64' ? 'aarch64' : 'x86_64';
}

function linkerFlags(arch: KernelArch, { linker }: Toolchain): string[] {
  if (arch === 'x86_64') return ['-m', 'elf_x86_64', '-z', 'noexecstack'];
  return ['-EL', '-maarch64linux', ...(linker.text.includes('LLD') ? ['-z', 'norelro'] : [])];
}

/** What a Makefile may name. A caller's CC or LD must not slip in between: the flags are this compiler's. */
function toolNames(toolchain: Toolchain): Record<string, string> {
  const tool = (name: string): string => makeWord(binaryTool(toolchain, name));
  return {
    'override CC': makeWords(toolchain.compiler.command),
    'override LD': makeWords(toolchain.linker.command),
    CPP: '$(CC) -E',
    AR: tool('ar'),
    NM: tool('nm'),
    OBJCOPY: tool('objcopy'),
    OBJDUMP: tool('objdump'),
    READELF: tool('readelf'),
    STRIP: tool('strip'),
    HOSTCC: 'cc',
    CONFIG_SHELL: 'sh',
  };
}

function includes(inputs: KernelMkInputs): Record<string, string> {
  const { headersPath, kdirPath, arch, version, compilerHeaders, flags } = inputs;
  const own = `arch/${sourceArch(arch)}/include`;
  const folders = [
    own,
    `${own}/generated`,
    'include',
    `${own}/uapi`,
    `${own}/generated/uapi`,
    'include/uapi',
    'include/generated/uapi',
  ];
  const always = ['compiler-version.h', 'kconfig.h']
    .map((name) => join(headersPath, 'include/linux', name))
    .filter((path) => existsSync(path));
  const first = [...always, ...flags.afterKconfig.map((name) => join(kdirPath, 'kh', name))];
  const ofCompiler = isAtLeast(version, 5, 15) ? [] : ['-isystem', compilerHeaders];
  const types = join(headersPath, 'include/linux/compiler_types.h');
  return {
    NOSTDINC_FLAGS: makeWords(['-nostdinc', ...ofCompiler]),
    LINUXINCLUDE: makeWords([
      ...folders.map((folder) => `-I${join(headersPath, folder)}`),
      ...first.flatMap((path) => ['-include', path]),
    ]),
    kh_force_types: makeWords(['-include', types]),
  };
}

/** The names by which Makefiles take flags out of an object. */
const GROUP_NAMES: Partial<Record<FlagGroup, string>> = {
  cfi: 'CC_FLAGS_CFI',
  scs: 'CC_FLAGS_SCS',
  ftrace: 'CC_FLAGS_FTRACE',
  ubsan: 'CC_FLAGS_UBSAN',
};

function flagVariables({ c, asm }: SettledFlags): Record<string, string> {
  const isDefine = (flag: string): boolean => flag.startsWith('-D');
  const flagsWhere = (wanted: (group: FlagGroup) => boolean): string[] =>
    c.filter(({ group }) => wanted(group)).flatMap(({ flags }) => flags.filter((flag) => !isDefine(flag)));
  const plain = flagsWhere((group) => GROUP_NAMES[group] === undefined);
  const groups = Object.entries(GROUP_NAMES).map(
    ([group, name]) => [name, makeWords(flagsWhere((other) => other === group))] as [string, string],
  );
  return {
    ...Object.fromEntries(groups),
    KBUILD_CPPFLAGS: makeWords(c.flatMap(({ flags }) => flags).filter(isDefine)),
    // UBSAN's are added to each object, since UBSAN_SANITIZE may take them out.
    KBUILD_CFLAGS: `${makeWords(plain)} $(CC_FLAGS_CFI) $(CC_FLAGS_SCS) $(CC_FLAGS_FTRACE)`,
    KBUILD_AFLAGS: makeWords(asm),
    KBUILD_CFLAGS_MODULE: '',
    KBUILD_AFLAGS_MODULE: '',
  };
}

function assignments(variables: Record<string, string>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name} := ${value}`.trimEnd())
    .join('\n');
}
