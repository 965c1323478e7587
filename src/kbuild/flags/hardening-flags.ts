import { isAtLeast } from '../kernel-config';
import type { Compiler, FlagInputs, FlagRow } from './flag-plan';

/** Whether the kernel checks the types of indirect calls. Its option lost its suffix in 6.18. */
export function hasCfi({ config }: Pick<FlagInputs, 'config'>): boolean {
  return config.isOn('CFI_CLANG') || config.isOn('CFI');
}

/** Hardening that both processors share. */
export const HARDENING_FLAGS: FlagRow[] = [
  {
    flags: ['-fsanitize=kcfi'],
    when: hasCfi,
    config: 'CFI_CLANG',
    class: 'crash',
    without: 'the first indirect call, that of its own init function, is a CFI failure',
    group: 'cfi',
  },
  {
    flags: ['-fsanitize-cfi-icall-experimental-normalize-integers'],
    when: (inputs) => hasCfi(inputs) && inputs.config.isOn('CFI_ICALL_NORMALIZE_INTEGERS'),
    config: 'CFI_ICALL_NORMALIZE_INTEGERS',
    class: 'crash',
    without: 'callbacks with integers in their arguments are CFI failures',
    group: 'cfi',
  },
  {
    flags: ({ compiler }) => [
      '-ftrivial-auto-var-init=zero',
      ...(compiler.kind === 'clang' && compiler.version < 160000
        ? ['-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang']
        : []),
    ],
    when: ({ config }) => config.isOn('INIT_STACK_ALL_ZERO'),
    config: 'INIT_STACK_ALL_ZERO',
    class: 'diag',
    without: 'local variables start with what was on the stack',
  },
  {
    flags: ['-ftrivial-auto-var-init=pattern'],
    when: ({ config }) => config.isOn('INIT_STACK_ALL_PATTERN') || config.isOn('INIT_STACK_ALL'),
    config: 'INIT_STACK_ALL_PATTERN',
    class: 'diag',
    without: 'local variables start with what was on the stack',
  },
  {
    flags: ['-fzero-call-used-regs=used-gpr'],
    when: ({ config }) => config.isOn('ZERO_CALL_USED_REGS'),
    config: 'ZERO_CALL_USED_REGS',
    class: 'diag',
    without: 'functions return with values left in registers',
  },
  {
    flags: ['-fstrict-flex-arrays=3'],
    when: ({ version }) => isAtLeast(version, 6, 5),
    class: 'diag',
    without: 'arrays at the end of structures are not checked',
  },
  {
    flags: ({ config, compiler }) => [
      `-f${alignmentFlag(compiler)}=${config.value('FUNCTION_ALIGNMENT') ?? '0'}`,
    ],
    when: ({ config }) => Number(config.value('FUNCTION_ALIGNMENT')) > 0,
    config: 'FUNCTION_ALIGNMENT',
    class: 'diag',
    without: 'functions are aligned otherwise',
  },
  ubsan('UBSAN_BOUNDS_STRICT', ['-fsanitize=bounds-strict'], 'gcc'),
  ubsan('UBSAN_ARRAY_BOUNDS', ['-fsanitize=array-bounds'], 'clang'),
  ubsan('UBSAN_LOCAL_BOUNDS', ['-fsanitize=local-bounds'], 'clang'),
];

function alignmentFlag(compiler: Compiler): string {
  return compiler.kind === 'gcc' && alignsAll(compiler) ? 'min-function-alignment' : 'align-functions';
}

/** Whether rarely used functions are aligned, too: gcc's are since its 14 has a flag for that, clang's by the older one. */
export function alignsAll({ kind, version }: Compiler): boolean {
  return kind === 'clang' || version >= 140000;
}

/** Only where a failed check traps: the functions that report it otherwise may not be exported. */
function ubsan(option: string, checks: string[], kind: 'clang' | 'gcc'): FlagRow {
  const trap = kind === 'gcc' ? '-fsanitize-undefined-trap-on-error' : '-fsanitize-trap=bounds,local-bounds';
  return {
    flags: [...checks, trap],
    when: ({ config, compiler }) =>
      config.isOn(option) && config.isOn('UBSAN_TRAP') && compiler.kind === kind,
    config: option,
    class: 'diag',
    without: 'accesses beyond an array go unseen',
    group: 'ubsan',
  };
}

/** Instrumentation that modules go without: option, and what is lost. */
export const LEFT_OUT: [option: string, lost: string][] = [
  ['KASAN_GENERIC', 'its own memory errors are not reported'],
  ['KASAN_SW_TAGS', 'its own memory errors are not reported'],
  ['KMSAN', 'its own uninitialised values are not reported'],
  ['KCSAN', 'its own data races are not reported'],
  ['KCOV_INSTRUMENT_ALL', 'its coverage is not collected'],
  ['GCOV_PROFILE_ALL', 'its coverage is not collected'],
  ['GCC_PLUGIN_LATENT_ENTROPY', 'it adds nothing to the entropy pool'],
  ['GCC_PLUGIN_STACKLEAK', 'its stack is not tracked for erasing'],
  ['DEBUG_INFO_BTF_MODULES', 'BPF programs see none of its types'],
];
