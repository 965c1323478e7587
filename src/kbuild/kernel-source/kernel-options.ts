import { makeText } from '../kdir/make-text';
import { parseAutoconf, type KernelConfig } from '../kernel-config';

/** An option that the source's Kconfig does not come to as the device has it; undefined is off or unknown. */
export interface OptionDifference {
  name: string;
  device: string | undefined;
  source: string | undefined;
}

/**
 * What Kconfig's `allnoconfig` is to take for given: every option that the
 * device's autoconf.h has. All others are then off, as they are on the device.
 *
 * @param numbers options whose `1` is a number: autoconf.h writes `y` the same
 */
export function givenOptions(autoconf: string, numbers: ReadonlySet<string>): string {
  const lines: string[] = [];
  for (const [, name = '', value = ''] of autoconf.matchAll(/^#define CONFIG_(\w+)[ \t]+(.+?)\r?$/gm)) {
    if (value !== '1' || numbers.has(name)) lines.push(`CONFIG_${name}=${value}`);
    else if (name.endsWith('_MODULE')) lines.push(`CONFIG_${name.slice(0, -'_MODULE'.length)}=m`);
    else lines.push(`CONFIG_${name}=y`);
  }
  // allnoconfig turns it on unless told, and questions with it.
  if (!parseAutoconf(autoconf).isOn('EXPERT')) lines.push('# CONFIG_EXPERT is not set');
  return `${lines.join('\n')}\n`;
}

/** Where the device's option and the source's differ, without what only tells of the build's machine. */
export function optionDifferences(device: KernelConfig, source: KernelConfig): OptionDifference[] {
  const names = new Set([...device.entries(), ...source.entries()].map(([name]) => name));
  return [...names]
    .filter((name) => !isToolFact(name) && device.value(name) !== source.value(name))
    .map((name) => ({ name, device: device.value(name), source: source.value(name) }));
}

/** Options whose 1 Kconfig refused as a `y`: they are numbers. */
export function numberOptions(differences: readonly OptionDifference[]): Set<string> {
  return new Set(
    differences
      .filter(({ device, source }) => device === 'y' && source !== undefined && /^-?\d+$/.test(source))
      .map(({ name }) => name),
  );
}

/**
 * Options that decide on the vermagic, on how large a page is, or on how
 * functions call each other. A source that does not know such an option, or
 * cannot have it with this compiler, makes modules that the kernel refuses or
 * that bring it down.
 */
export function isDecisive({ name }: OptionDifference): boolean {
  return DECISIVE.test(name);
}

const DECISIVE = new RegExp(
  `^(?:${[
    'SMP|PREEMPT|PREEMPT_RT|PREEMPT_BUILD|MODULE_UNLOAD|MODVERSIONS|CPU_BIG_ENDIAN|64BIT',
    'ARM64_(?:4K|16K|64K)_PAGES|ARM64_PAGE_SHIFT|PAGE_SHIFT|ARM64_VA_BITS|PGTABLE_LEVELS|THREAD_INFO_IN_TASK',
    'CFI|CFI_CLANG|CFI_ICALL_NORMALIZE_INTEGERS|SHADOW_CALL_STACK|DYNAMIC_SCS|UNWIND_PATCH_PAC_INTO_SCS',
    'ARM64_BTI_KERNEL|ARM64_PTR_AUTH_KERNEL|STACKPROTECTOR|STACKPROTECTOR_PER_TASK',
    'X86_KERNEL_IBT|CALL_PADDING|FUNCTION_PADDING_BYTES|FUNCTION_PADDING_CFI|FINEIBT',
    'KASAN|KASAN_GENERIC|KASAN_SW_TAGS|KASAN_HW_TAGS|KMSAN|RANDSTRUCT\\w*',
  ].join('|')})$`,
);

/** What Kconfig found out about the compiler and tools, and so differs from machine to machine. */
function isToolFact(name: string): boolean {
  return TOOL_FACT.test(name);
}

const TOOL_FACT = new RegExp(
  `^(?:${[
    '(?:CC|GCC|CLANG|AS|LD|LLD|PAHOLE|RUSTC|BINDGEN)_(?:VERSION|VERSION_TEXT|LLVM_VERSION)',
    '(?:CC|AS|LD)_IS_\\w+',
    '(?:\\w+_)?(?:CC|AS|LD|GCC|CLANG|PAHOLE|RUSTC|TOOLS|TOOLCHAIN)_(?:HAS|HAVE|CAN|SUPPORTS?|NEEDS|USES?)_\\w+',
    '(?:TOOLS|TOOLCHAIN)_SUPPORT\\w*|GCC\\d*_\\w+|HAVE_RUST|RUST_IS_AVAILABLE',
  ].join('|')})$`,
);

/** Steps of a kernel's build that modules of others cannot have (they take its vmlinux or its keys) or do without. */
const STEPS =
  /^(?:DEBUG_INFO_BTF\w*|MODULE_SIG\w*|SYSTEM_(?:EXTRA_CERTIFICATE|TRUSTED_KEY)\w*|TRIM_UNUSED_KSYMS|RUST|UAPI_HEADER_TEST)$/;

/**
 * What the source's Makefiles are to read in `include/config/auto.conf`: what
 * Kconfig wrote there, with the device's value of each option that differs, and
 * without steps that modules go without. C sees the device's autoconf.h, all of it.
 */
export function makefileOptions(autoConf: string, differences: readonly OptionDifference[]): string {
  // Strings are in quotes there until 5.16.
  const quote = /^CONFIG_\w+="/m.test(autoConf) ? '"' : '';
  const changed = new Map(differences.map(({ name, device }) => [name, device]));
  const kept = autoConf.split('\n').filter((line) => {
    const name = /^CONFIG_(\w+)=/.exec(line)?.[1] ?? '';
    return line !== '' && !STEPS.test(name) && !changed.has(name);
  });
  const own = [...changed].flatMap(([name, value]) => {
    if (value === undefined || STEPS.test(name)) return [];
    const isBare = /^(?:y|m|-?\d+|0x[0-9a-fA-F]+)$/.test(value);
    return [`CONFIG_${name}=${isBare ? value : makeText(quote + value + quote)}`];
  });
  return `${[...kept, ...own].join('\n')}\n`;
}
