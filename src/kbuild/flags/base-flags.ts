import { isAtLeast } from '../kernel-config';
import type { FlagInputs, FlagRow } from './flag-plan';

const isClang = ({ compiler }: FlagInputs): boolean => compiler.kind === 'clang';
const isGcc = ({ compiler }: FlagInputs): boolean => compiler.kind === 'gcc';

const hasMsExtensions = ({ config, version }: FlagInputs): boolean =>
  config.value('CC_MS_EXTENSIONS') !== undefined || isAtLeast(version, 6, 19);

/**
 * What every module of every kernel is compiled with.
 *
 * @see Makefile of Linux 5.4 to 7.3
 */
export const BASE_FLAGS: FlagRow[] = [
  {
    flags: ['-D__KERNEL__', '-DMODULE'],
    class: 'compile',
    without: 'headers take the code for a program',
    for: 'both',
  },
  { flags: ['-D__ASSEMBLY__'], class: 'compile', without: 'headers give C to the assembler', for: 'asm' },
  {
    flags: ({ arch }) => [`--target=${arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`],
    when: isClang,
    class: 'compile',
    without: 'clang builds for the computer that it runs on',
    for: 'both',
  },
  {
    flags: ({ version }) => [isAtLeast(version, 5, 18) ? '-std=gnu11' : '-std=gnu89'],
    class: 'compile',
    without: 'headers are read as another C than they are written in',
  },
  {
    // The option may ask for less of the same: -fms-anonymous-structs, which few compilers have.
    flags: ['-fms-extensions'],
    when: hasMsExtensions,
    class: 'compile',
    without: 'structures lack the members that they take from others by name',
  },
  {
    flags: ['-fno-PIE'],
    class: 'load',
    without: 'code has relocations that the loader does not know',
    for: 'both',
  },
  { flags: ['-fno-common'], class: 'load', without: 'variables are COMMON, which the loader refuses' },
  { flags: ['-fshort-wchar'], class: 'crash', without: 'wchar_t has another size than in the kernel' },
  {
    flags: ['-funsigned-char'],
    when: ({ version }) => isAtLeast(version, 6, 2),
    class: 'crash',
    without: 'char is signed, unlike in the kernel',
  },
  {
    flags: ['-fno-strict-aliasing', '-fno-delete-null-pointer-checks', '-fno-strict-overflow'],
    class: 'crash',
    without: 'the compiler optimises away what the kernel relies on',
  },
  {
    flags: ({ config }) => [
      config.isOn('CC_OPTIMIZE_FOR_SIZE')
        ? '-Os'
        : config.isOn('CC_OPTIMIZE_FOR_PERFORMANCE_O3')
          ? '-O3'
          : '-O2',
    ],
    class: 'compile',
    without: 'inline assembly has operands that are no constants',
  },
  {
    flags: ['-fno-builtin-wcslen'],
    class: 'diag',
    without: 'loops may become calls of wcslen(), which no kernel exports',
  },
  // Some distributions turn these on.
  { flags: ['-fno-stack-check'], class: 'diag', without: 'functions may look at the stack below theirs' },
  {
    flags: ['-fno-stack-clash-protection'],
    class: 'diag',
    without: 'functions may touch each page of the stack',
  },
  {
    flags: ['-fzero-init-padding-bits=all'],
    when: ({ version }) => isAtLeast(version, 6, 15),
    class: 'diag',
    without: 'padding may keep what was on the stack',
  },
  { flags: ['-mno-global-merge'], when: isClang, class: 'diag', without: 'variables are merged' },
  { flags: ['-fconserve-stack'], when: isGcc, class: 'diag', without: 'functions take more stack' },
  {
    flags: ({ config }) =>
      config.isOn('UNWIND_TABLES')
        ? ['-fasynchronous-unwind-tables']
        : ['-fno-asynchronous-unwind-tables', '-fno-unwind-tables'],
    class: 'diag',
    without: 'there are unwind tables too many, or too few',
  },
  {
    flags: ['-fno-omit-frame-pointer', '-fno-optimize-sibling-calls'],
    when: ({ config }) => config.isOn('FRAME_POINTER'),
    config: 'FRAME_POINTER',
    class: 'diag',
    without: 'stack traces have gaps',
  },
  {
    // gcc takes it for a contradiction to -pg.
    flags: ['-fomit-frame-pointer'],
    when: ({ config }) => !config.isOn('FRAME_POINTER') && !config.isOn('FUNCTION_TRACER'),
    class: 'diag',
    without: 'functions are longer',
  },
  {
    flags: ({ config }) => [debugInfoFlag((name) => config.isOn(name))],
    when: ({ config }) => config.isOn('DEBUG_INFO'),
    config: 'DEBUG_INFO',
    class: 'diag',
    without: 'a debugger knows no types and lines',
  },
];

function debugInfoFlag(isOn: (name: string) => boolean): string {
  if (isOn('DEBUG_INFO_DWARF5')) return '-gdwarf-5';
  return isOn('DEBUG_INFO_DWARF4') ? '-gdwarf-4' : '-g';
}

/** Diagnostics: what is on for the kernel itself, and off because its headers and idioms would drown it. */
export const WARNING_FLAGS: FlagRow[] = [
  warnings(['-Wall', '-Wundef', '-Wno-trigraphs', '-Wno-format-security', '-Wno-sign-compare']),
  warnings([
    '-Werror=implicit-function-declaration',
    '-Werror=implicit-int',
    '-Werror=return-type',
    '-Werror=strict-prototypes',
    '-Werror=date-time',
    '-Werror=incompatible-pointer-types',
  ]),
  warnings(['-Wvla', '-Wno-pointer-sign', '-Wno-address-of-packed-member', '-Wno-frame-address']),
  warnings(['-Wno-unused-but-set-variable', '-Wno-unused-const-variable', '-Wno-array-bounds']),
  warnings(['-Wno-psabi']),
  warnings(
    [
      '-Qunused-arguments',
      '-Werror=unknown-warning-option',
      '-Werror=ignored-optimization-argument',
      '-Wno-gnu',
      '-Wno-format-invalid-specifier',
      '-Wno-initializer-overrides',
      '-Wno-tautological-constant-out-of-range-compare',
    ],
    isClang,
  ),
  warnings(['-Wno-microsoft-anon-tag'], (inputs) => isClang(inputs) && hasMsExtensions(inputs)),
  warnings(
    [
      '-Werror=designated-init',
      '-Wno-stringop-truncation',
      '-Wno-stringop-overflow',
      '-Wno-restrict',
      '-Wno-maybe-uninitialized',
      '-Wno-format-truncation',
      '-Wno-format-overflow',
    ],
    isGcc,
  ),
  {
    flags: ({ config }) => [`-Wframe-larger-than=${config.value('FRAME_WARN') ?? '0'}`],
    when: ({ config }) => Number(config.value('FRAME_WARN')) > 0,
    config: 'FRAME_WARN',
    class: 'diag',
    without: 'large stack frames are not warned of',
    group: 'warning',
  },
  {
    // The option has the flag of the kernel's own compiler: clang takes no level.
    flags: (inputs) => [isGcc(inputs) ? '-Wimplicit-fallthrough=5' : '-Wimplicit-fallthrough'],
    when: ({ config }) => (config.value('CC_IMPLICIT_FALLTHROUGH') ?? '') !== '',
    config: 'CC_IMPLICIT_FALLTHROUGH',
    class: 'diag',
    without: 'cases that fall through are not warned of',
    group: 'warning',
  },
];

function warnings(flags: string[], when?: FlagRow['when']): FlagRow {
  return {
    flags,
    class: 'diag',
    without: 'diagnostics differ',
    group: 'warning',
    ...(when === undefined ? {} : { when }),
  };
}
