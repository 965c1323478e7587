import { isAtLeast } from '../kernel-config';
import type { FlagInputs, FlagRow } from './flag-plan';

const isOn =
  (...names: string[]) =>
  ({ config }: FlagInputs): boolean =>
    names.some((name) => config.isOn(name));

/** What the kernel was configured for, up to 6.15. */
const PROCESSORS = [
  ['MK8', '-march=k8'],
  ['MPSC', '-march=nocona'],
  ['MCORE2', '-march=core2'],
  ['MATOM', '-march=atom'],
] as const;

/**
 * Since 6.15 the stack's canary is a symbol, which clang before 17 reaches by a
 * table of addresses only: the loader has none.
 *
 * @see STACKPROTECTOR in arch/x86/Makefile
 */
export function isCanaryOutOfReach({ arch, config, version, compiler }: FlagInputs): boolean {
  const isSymbol = arch === 'x86_64' && config.isOn('STACKPROTECTOR') && isAtLeast(version, 6, 15);
  return isSymbol && compiler.kind === 'clang' && compiler.version < 170000;
}

/**
 * What x86_64 asks for besides.
 *
 * @see arch/x86/Makefile of Linux 5.4 to 7.3
 */
export const X86_FLAGS: FlagRow[] = [
  { flags: ['-m64'], class: 'compile', without: 'the code is not for x86_64', for: 'both' },
  {
    flags: ['-mcmodel=kernel'],
    class: 'load',
    without: 'addresses do not fit into the relocations',
  },
  { flags: ['-mno-red-zone'], class: 'crash', without: 'interrupts overwrite the stack below its pointer' },
  {
    flags: ['-mno-sse', '-mno-mmx', '-mno-sse2', '-mno-avx', '-mno-80387'],
    class: 'crash',
    without: 'the compiler uses registers that belong to user space',
  },
  { flags: ['-mno-3dnow'], class: 'diag', without: 'nothing: no compiler uses 3DNow! by itself' },
  { flags: ['-mno-sse4a'], class: 'diag', without: 'nothing: no compiler uses SSE4a by itself' },
  // clang returns none there once it has no -m80387.
  noFloatsInFpu('gcc', 'crash'),
  noFloatsInFpu('clang', 'diag'),
  {
    flags: ['-falign-jumps=1'],
    when: ({ compiler }) => compiler.kind === 'gcc',
    class: 'diag',
    without: 'the targets of jumps are padded',
  },
  { flags: ['-falign-loops=1'], class: 'diag', without: 'loops are padded' },
  {
    flags: ({ config }) => [PROCESSORS.find(([option]) => config.isOn(option))?.[1] ?? '-mtune=generic'],
    class: 'diag',
    without: 'the code is tuned for another processor',
  },
  {
    flags: ({ compiler }) => [
      compiler.kind === 'clang' ? '-mstack-alignment=8' : '-mpreferred-stack-boundary=3',
    ],
    class: 'diag',
    without: 'functions take more stack',
  },
  { flags: ['-mskip-rax-setup'], class: 'diag', without: 'calls with variable arguments are longer' },
  {
    flags: ['-fcf-protection=branch', '-fno-jump-tables'],
    when: isOn('X86_KERNEL_IBT'),
    config: 'X86_KERNEL_IBT',
    class: 'crash',
    without: 'a processor with IBT traps at the first indirect call',
  },
  {
    flags: ['-fcf-protection=none'],
    when: (inputs) => !isOn('X86_KERNEL_IBT')(inputs),
    class: 'diag',
    without: 'code has landing pads that the kernel does not use',
  },
  {
    flags: ({ compiler }) =>
      compiler.kind === 'clang'
        ? ['-mretpoline-external-thunk']
        : ['-mindirect-branch=thunk-extern', '-mindirect-branch-register', '-fno-jump-tables'],
    when: isOn('RETPOLINE', 'MITIGATION_RETPOLINE'),
    config: 'RETPOLINE',
    class: 'diag',
    without: 'indirect branches are open to Spectre',
  },
  {
    flags: ['-mindirect-branch-cs-prefix'],
    when: isOn('RETPOLINE', 'MITIGATION_RETPOLINE'),
    class: 'diag',
    without: 'calls of thunks are too short for what replaces them',
  },
  {
    flags: ['-mfunction-return=thunk-extern'],
    when: isOn('RETHUNK', 'MITIGATION_RETHUNK'),
    config: 'RETHUNK',
    class: 'diag',
    without: 'returns are open to Retbleed',
  },
  {
    flags: ['-mharden-sls=all'],
    when: isOn('SLS', 'MITIGATION_SLS'),
    config: 'SLS',
    class: 'diag',
    without: 'branches are open to straight-line speculation',
  },
  callPadding('crash'),
  callPadding('diag'),
  {
    flags: ({ config, version }) => [
      ...(config.isOn('STACKPROTECTOR_STRONG') ? ['-fstack-protector-strong'] : ['-fstack-protector']),
      ...(isAtLeast(version, 6, 15)
        ? ['-mstack-protector-guard-reg=gs', '-mstack-protector-guard-symbol=__ref_stack_chk_guard']
        : []),
    ],
    when: (inputs) => isOn('STACKPROTECTOR')(inputs) && !isCanaryOutOfReach(inputs),
    config: 'STACKPROTECTOR',
    class: 'diag',
    without: 'a stack that is overwritten goes unseen',
    orElse: ['-fno-stack-protector'],
  },
  {
    flags: ['-fno-stack-protector'],
    when: (inputs) => !isOn('STACKPROTECTOR')(inputs) || isCanaryOutOfReach(inputs),
    class: 'load',
    without: 'code asks for a canary that the kernel does not have, or that it cannot reach',
  },
  {
    flags: ['-DCC_USING_FENTRY'],
    when: isOn('FUNCTION_TRACER'),
    config: 'FUNCTION_TRACER',
    class: 'compile',
    without: 'the headers stop with an error',
    for: 'both',
  },
  {
    // clang has no -mrecord-mcount for x86: there, modpost lists the calls.
    flags: ({ compiler }) => ['-pg', '-mfentry', ...(compiler.kind === 'gcc' ? ['-mrecord-mcount'] : [])],
    when: isOn('FUNCTION_TRACER'),
    config: 'FUNCTION_TRACER',
    class: 'diag',
    without: 'functions cannot be traced',
    group: 'ftrace',
  },
];

function noFloatsInFpu(kind: FlagInputs['compiler']['kind'], wanted: 'crash' | 'diag'): FlagRow {
  return {
    flags: ['-mno-fp-ret-in-387'],
    when: ({ compiler }) => compiler.kind === kind,
    class: wanted,
    without: 'functions may return floating point numbers in the FPU',
  };
}

/** kCFI finds its hash in front of the padding: there, a function without it is a function without a hash. */
function callPadding(wanted: 'crash' | 'diag'): FlagRow {
  return {
    flags: ({ config }) => {
      const bytes = config.value('FUNCTION_PADDING_BYTES') ?? '0';
      return [`-fpatchable-function-entry=${bytes},${bytes}`];
    },
    when: ({ config }) =>
      config.isOn('CALL_PADDING') && (config.isOn('CFI_CLANG') ? wanted === 'crash' : wanted === 'diag'),
    config: 'CALL_PADDING',
    class: wanted,
    without:
      wanted === 'crash'
        ? 'indirect calls do not find the hashes of the functions'
        : 'calls are not counted against Retbleed',
  };
}
