import { ARM64_FLAGS } from './arm64-flags';
import { BASE_FLAGS, WARNING_FLAGS } from './base-flags';
import type { FlagInputs, FlagPlan, FlagRow, PlannedFlag } from './flag-plan';
import { alignsAll, HARDENING_FLAGS, LEFT_OUT } from './hardening-flags';
import { isAtLeast } from '../kernel-config';
import { refuseUnsupported } from './refusals';
import { isCanaryOutOfReach, X86_FLAGS } from './x86-flags';

/** The header of a kdir that cures the x86_64 jump labels. */
const PLAIN_JUMP_LABELS = 'plain-jump-labels.h';
/** The header of a kdir that keeps a module's own exports. */
const KEEP_EXPORTS = 'keep-exports.h';
/** The header of a kdir that keeps clang from gcc's address spaces. */
const PLAIN_PERCPU = 'plain-percpu.h';
/** The header of a kdir with which no function is marked as rarely used. */
const NOTHING_COLD = 'nothing-cold.h';

/**
 * The flags that a kernel's modules are compiled with, before the compiler was
 * asked whether it has them (`settleFlags` does).
 *
 * @throws KhError BUILD_UNSUPPORTED for a kernel whose modules cannot be built from headers
 */
export function moduleFlags(inputs: FlagInputs): FlagPlan {
  refuseUnsupported(inputs.config, inputs.version);
  const ofArch = inputs.arch === 'arm64' ? ARM64_FLAGS : X86_FLAGS;
  const rows = [...BASE_FLAGS, ...ofArch, ...HARDENING_FLAGS, ...WARNING_FLAGS];
  return {
    flags: rows.filter((row) => row.when?.(inputs) ?? true).map((row) => planned(row, inputs)),
    afterKconfig: [
      ...(needsPlainJumpLabels(inputs) ? [PLAIN_JUMP_LABELS] : []),
      ...(dropsExports(inputs) ? [KEEP_EXPORTS] : []),
      ...(hasUnalignedCold(inputs) ? [NOTHING_COLD] : []),
      ...(hasAddressSpaces(inputs) ? [PLAIN_PERCPU] : []),
    ],
    notes: notesOn(inputs),
  };
}

/**
 * With HAVE_JUMP_LABEL_HACK (x86_64, 5.14 on), a static key's branch is
 * compiled to a real jump that objtool turns into a NOP. Without objtool the
 * jump stays, and keys that are false act as true, silently. Undefining the
 * option gives the NOP that older kernels had, of the same size.
 *
 * @see arch/x86/include/asm/jump_label.h, kernel/jump_label.c
 */
function needsPlainJumpLabels({ config }: FlagInputs): boolean {
  return config.isOn('HAVE_JUMP_LABEL_HACK');
}

/**
 * Until 6.5, headers of a kernel that trims its exports drop those of modules
 * too, unless the kernel's own modules use symbols of that name.
 *
 * @see include/linux/export.h
 */
function dropsExports({ config, version }: FlagInputs): boolean {
  return config.isOn('TRIM_UNUSED_KSYMS') && !isAtLeast(version, 6, 5);
}

/**
 * ftrace may keep a pointer in front of each function; one that lies unaligned
 * brings the kernel down as the module is loaded. Headers mark functions as
 * rarely used only where the kernel's own compiler aligns those: this one may not.
 *
 * @see __cold in include/linux/compiler_types.h, ftrace_call_adjust in arch/arm64/kernel/ftrace.c
 */
function hasUnalignedCold({ config, compiler }: FlagInputs): boolean {
  return config.isOn('CC_HAS_SANE_FUNCTION_ALIGNMENT') && !alignsAll(compiler);
}

/**
 * Kernels that gcc built for x86_64 reach the data of each processor by address
 * spaces of gcc's. What clang makes of those writes to other memory.
 *
 * @see CC_HAS_NAMED_AS in arch/x86/Kconfig, arch/x86/include/asm/percpu.h
 */
function hasAddressSpaces({ config, compiler }: FlagInputs): boolean {
  return compiler.kind === 'clang' && config.isOn('CC_HAS_NAMED_AS');
}

function notesOn(inputs: FlagInputs): string[] {
  const { config } = inputs;
  const notes = LEFT_OUT.filter(([option]) => config.isOn(option)).map(
    ([option, lost]) => `The kernel has CONFIG_${option}; the module is built without it: ${lost}.`,
  );
  if (config.isOn('UBSAN') && !config.isOn('UBSAN_TRAP')) {
    notes.push(
      'The kernel has CONFIG_UBSAN; the module is built without it: undefined behaviour goes unseen.',
    );
  }
  if (isCanaryOutOfReach(inputs)) {
    notes.push(
      'The kernel has CONFIG_STACKPROTECTOR; clang before 17 cannot reach its canary: a stack that is overwritten goes unseen.',
    );
  }
  return notes;
}

function planned(row: FlagRow, inputs: FlagInputs): PlannedFlag {
  return {
    flags: typeof row.flags === 'function' ? row.flags(inputs) : row.flags,
    class: row.class,
    without: row.without,
    config: row.config,
    group: row.group ?? 'base',
    for: row.for ?? 'c',
    orElse: row.orElse,
  };
}
