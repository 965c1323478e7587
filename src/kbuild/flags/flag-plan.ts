import type { KernelArch, KernelConfig, KernelVersion } from '../kernel-config';

/**
 * What happens to a module that was built without a flag:
 * - compile: the kernel's headers do not compile;
 * - load: the kernel's loader refuses it;
 * - crash: it loads, then brings the kernel down or corrupts it;
 * - diag: only diagnostics, hardening or speed are lost.
 */
export type FlagClass = 'compile' | 'load' | 'crash' | 'diag';

/** Flags that a module's Makefile may take out of its objects by the kernel's own names, `CC_FLAGS_CFI` and the like. */
export type FlagGroup = 'base' | 'warning' | 'cfi' | 'scs' | 'ftrace' | 'ubsan';

export interface Compiler {
  kind: 'clang' | 'gcc';
  /** As CONFIG_CLANG_VERSION has it: 160006 is 16.0.6. */
  version: number;
}

/** What the flags follow from. */
export interface FlagInputs {
  config: KernelConfig;
  version: KernelVersion;
  arch: KernelArch;
  compiler: Compiler;
  /** TSK_STACK_CANARY of the archive's asm-offsets.h: bytes into task_struct; undefined where it has none. */
  stackCanaryOffset: number | undefined;
}

/** A row of the tables: flags that come together, and why. */
export interface FlagRow {
  flags: string[] | ((inputs: FlagInputs) => string[]);
  class: FlagClass;
  /** What is lost or goes wrong without them: a sentence's second half, after "without it". */
  without: string;
  /** When they apply; always, without one. */
  when?: (inputs: FlagInputs) => boolean;
  /** The option of the kernel that asks for them, for messages. */
  config?: string;
  group?: FlagGroup;
  /** What they are passed to: C by default. */
  for?: 'c' | 'asm' | 'both';
  /** Used in their place where the compiler lacks them. */
  orElse?: string[];
}

/** A row that applies, its flags worked out. */
export interface PlannedFlag {
  flags: string[];
  class: FlagClass;
  without: string;
  config: string | undefined;
  group: FlagGroup;
  for: 'c' | 'asm' | 'both';
  orElse: string[] | undefined;
}

export interface FlagPlan {
  flags: PlannedFlag[];
  /** Headers to include right after kconfig.h, by their names in a kdir. */
  afterKconfig: string[];
  /** What the kernel has and its modules will lack, in sentences. */
  notes: string[];
}
