import { isAtLeast } from '../kernel-config';
import type { FlagInputs, FlagRow } from './flag-plan';

/**
 * What arm64 asks for besides.
 *
 * @see arch/arm64/Makefile of Linux 5.4 to 6.12
 */
export const ARM64_FLAGS: FlagRow[] = [
  {
    flags: ['-mlittle-endian'],
    class: 'compile',
    without: 'the code is for another byte order',
    for: 'both',
  },
  // gcc's default, and its name; clang knows no other model, and refuses the flag.
  {
    flags: ['-mabi=lp64'],
    when: ({ compiler }) => compiler.kind === 'gcc',
    class: 'diag',
    without: 'nothing',
    for: 'both',
  },
  {
    flags: ['-mgeneral-regs-only'],
    class: 'crash',
    without: 'the compiler uses vector registers, which belong to user space',
  },
  {
    flags: ({ config }) => [`-DKASAN_SHADOW_SCALE_SHIFT=${kasanShift(config)}`],
    class: 'compile',
    without: 'the memory layout in the headers is incomplete',
    for: 'both',
  },
  {
    flags: (inputs) => [`-Wa,-march=${assemblerArch(inputs)}`, `-DARM64_ASM_ARCH="${assemblerArch(inputs)}"`],
    when: (inputs) => assemblerArch(inputs) !== '',
    config: 'AS_HAS_ARMV8_x',
    class: 'compile',
    without: 'inline assembly has instructions that the assembler does not take',
  },
  {
    // Since 5.6 the configuration itself says so (AS_HAS_LSE_ATOMICS).
    flags: ['-DCONFIG_AS_LSE=1'],
    when: ({ config, version }) => config.isOn('ARM64_LSE_ATOMICS') && !isAtLeast(version, 5, 6),
    config: 'ARM64_LSE_ATOMICS',
    class: 'diag',
    without: 'atomics are the slow ones',
    for: 'both',
  },
  {
    flags: ['-mno-outline-atomics'],
    class: 'diag',
    without: 'gcc may call helpers for atomics that no kernel has',
  },
  {
    flags: (inputs) => [`-mbranch-protection=${branchProtection(inputs)}`],
    when: ({ config }) => config.isOn('ARM64_BTI_KERNEL'),
    config: 'ARM64_BTI_KERNEL',
    class: 'crash',
    without: 'a processor with BTI traps at the first indirect call',
  },
  {
    flags: (inputs) => [`-mbranch-protection=${branchProtection(inputs)}`],
    when: ({ config }) => !config.isOn('ARM64_BTI_KERNEL'),
    config: 'ARM64_PTR_AUTH_KERNEL',
    class: 'diag',
    without: 'return addresses are not signed as in the kernel',
  },
  {
    flags: ['-ffixed-x18'],
    when: ({ config }) => config.isOn('SHADOW_CALL_STACK'),
    config: 'SHADOW_CALL_STACK',
    class: 'crash',
    without: 'the compiler overwrites x18, where the shadow call stack is',
  },
  {
    flags: ['-fsanitize=shadow-call-stack'],
    when: ({ config }) => config.isOn('SHADOW_CALL_STACK') && !config.isOn('DYNAMIC_SCS'),
    config: 'SHADOW_CALL_STACK',
    class: 'diag',
    without: 'the module keeps no shadow call stack',
    group: 'scs',
  },
  {
    flags: stackProtector,
    class: 'diag',
    without: 'a stack that is overwritten goes unseen',
    config: 'STACKPROTECTOR',
    orElse: ['-fno-stack-protector'],
  },
  {
    flags: ({ config }) => [
      '-DCC_USING_PATCHABLE_FUNCTION_ENTRY',
      `-fpatchable-function-entry=${config.isOn('DYNAMIC_FTRACE_WITH_CALL_OPS') ? '4,2' : '2'}`,
    ],
    when: ({ config }) => config.isOn('DYNAMIC_FTRACE_WITH_REGS') || config.isOn('DYNAMIC_FTRACE_WITH_ARGS'),
    config: 'DYNAMIC_FTRACE',
    class: 'diag',
    without: 'functions cannot be traced',
    group: 'ftrace',
  },
];

function kasanShift(config: FlagInputs['config']): string {
  if (config.isOn('KASAN_SW_TAGS')) return '4';
  return config.isOn('KASAN_GENERIC') ? '3' : '';
}

function assemblerArch({ config }: FlagInputs): string {
  const minor = [5, 4, 3, 2].find((n) => config.isOn(`AS_HAS_ARMV8_${n}`));
  return minor === undefined ? '' : `armv8.${minor}-a`;
}

function branchProtection({ config, version }: FlagInputs): string {
  // Leaf functions were signed too until 6.2.
  const signed = isAtLeast(version, 6, 2) ? 'pac-ret' : 'pac-ret+leaf';
  if (config.isOn('ARM64_BTI_KERNEL')) return `${signed}+bti`;
  // Before 5.14 one option stood for user space and kernel.
  const asked = config.isOn(isAtLeast(version, 5, 14) ? 'ARM64_PTR_AUTH_KERNEL' : 'ARM64_PTR_AUTH');
  const signs = isAtLeast(version, 5, 7) && asked;
  return signs || config.isOn('UNWIND_PATCH_PAC_INTO_SCS') ? signed : 'none';
}

function stackProtector({ config, stackCanaryOffset }: FlagInputs): string[] {
  if (!config.isOn('STACKPROTECTOR')) return ['-fno-stack-protector'];
  const protector = config.isOn('STACKPROTECTOR_STRONG') ? '-fstack-protector-strong' : '-fstack-protector';
  if (!config.isOn('STACKPROTECTOR_PER_TASK')) return [protector];
  // With the compiler's own canary such a kernel would not even load the module: it exports none.
  if (stackCanaryOffset === undefined) return ['-fno-stack-protector'];
  return [
    protector,
    '-mstack-protector-guard=sysreg',
    '-mstack-protector-guard-reg=sp_el0',
    `-mstack-protector-guard-offset=${stackCanaryOffset}`,
  ];
}
