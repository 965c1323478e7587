import type { ElfFile, ElfSymbol } from '../elf/elf-file';
import type { KernelTarget } from '../modpost/kernel-target';
import type { Finding } from './finding';

/**
 * What the kernel calls by pointer, always: a module's start and end. The
 * hashes are those of `int (void)` and `void (void)`, plain and with
 * integers normalized, as clang computes them: the low half of the xxHash64
 * of the mangled type (`_ZTSFivE`).
 */
const CALLED_BY_POINTER = [
  { name: 'init_module', hash: 0x36b1c5a6, normalizedHash: 0x6fbb3035 },
  { name: 'cleanup_module', hash: 0xa540670c, normalizedHash: 0xe5c47d60 },
];

/** Bytes before a function in which its hash is looked for: room for the padding that patching asks for. */
const HASH_REACH = 128;

/** With kCFI, a call by pointer goes only where a hash of the function's type stands in front. */
export function checkCfi(elf: ElfFile, { config }: KernelTarget): Finding[] {
  if (!config.isOn('CFI_CLANG') && !config.isOn('CFI')) return [];
  const normalized = config.isOn('CFI_ICALL_NORMALIZE_INTEGERS');
  return CALLED_BY_POINTER.flatMap(({ name, hash, normalizedHash }) => {
    const entry = definition(elf, name);
    if (entry === undefined || hasHash(entry, normalized ? normalizedHash : hash)) return [];
    return {
      severity: config.isOn('CFI_PERMISSIVE') ? 'warning' : 'error',
      kind: 'cfi',
      text: `${name} carries no kCFI hash of its type, and the kernel checks each call by pointer: "Oops - CFI" as soon as the module starts`,
      hint: normalized
        ? 'Compile with -fsanitize=kcfi -fsanitize-cfi-icall-experimental-normalize-integers.'
        : 'Compile with -fsanitize=kcfi.',
    };
  });
}

/** On arm64 the hash is data; on x86-64 it is in a `mov` to eax. Both end where padding starts. */
function hasHash({ section, value }: ElfSymbol, hash: number): boolean {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(hash);
  const before = section?.data().subarray(Math.max(0, value - HASH_REACH), value);
  return before?.includes(bytes) === true;
}

const ARM64_LANDING_PADS = new Map([
  [0xd503245f, 'bti c'],
  [0xd50324df, 'bti jc'],
  [0xd503233f, 'paciasp'],
  [0xd503237f, 'pacibsp'],
]);

const X86_ENDBR64 = 0xfa1e0ff3;

/** With BTI (arm64) or IBT (x86), a call by pointer goes only where the code allows it. */
export function checkLandingPads(elf: ElfFile, { arch, config }: KernelTarget): Finding[] {
  const wanted =
    arch === 'arm64'
      ? config.isOn('ARM64_BTI_KERNEL') && { feature: 'BTI', flag: '-mbranch-protection=pac-ret+bti' }
      : config.isOn('X86_KERNEL_IBT') && { feature: 'IBT', flag: '-fcf-protection=branch' };
  if (wanted === false) return [];
  return CALLED_BY_POINTER.flatMap(({ name }) => {
    const entry = definition(elf, name);
    const code = entry?.section?.data();
    if (entry === undefined || code === undefined) return [];
    const first = code.length < entry.value + 4 ? 0 : code.readUInt32LE(entry.value);
    if (arch === 'arm64' ? ARM64_LANDING_PADS.has(first) : first === X86_ENDBR64) return [];
    return {
      severity: 'error',
      kind: 'branch-target',
      text: `${name} does not start with a landing pad for ${wanted.feature}: a processor that has it stops the kernel there`,
      hint: `Compile with ${wanted.flag}.`,
    };
  });
}

/**
 * x86-64 since 5.14 marks jumps (bit 1 of the key's address) that objtool is
 * to turn into no-operations. Left as jumps, they make false static keys
 * act as true, silently, until the kernel stops at the first toggle.
 *
 * @see arch/x86/include/asm/jump_label.h: two 32-bit distances and the key's address, 16 bytes
 */
export function checkJumpLabels(elf: ElfFile, { arch }: KernelTarget): Finding[] {
  const table = elf.section('__jump_table');
  if (arch !== 'x86_64' || table === undefined) return [];
  const relocations = elf.relocations(table);
  const codeAt = new Map(relocations.map((relocation) => [relocation.offset, relocation]));
  const left = relocations.filter(({ offset, addend }) => {
    if (offset % 16 !== 8 || (addend & 2) === 0) return false;
    const code = codeAt.get(offset - 8);
    const at = (code?.symbol?.value ?? 0) + (code?.addend ?? 0);
    const opcode = code?.symbol?.section?.data()[at];
    return opcode === 0xe9 || opcode === 0xeb;
  });
  if (left.length === 0) return [];
  return [
    {
      severity: 'error',
      kind: 'jump-label',
      text: `${left.length} static branch(es) are jumps that objtool should have removed: keys that are off would act as if they were on`,
      hint: 'Compile with CONFIG_HAVE_JUMP_LABEL_HACK undefined, as a kdir of kh does.',
    },
  ];
}

/** Bytes of the pointer that ftrace keeps in front of a function; it is written in one go, so it has to lie on their multiple. */
const POINTER = 8;

/**
 * arm64 kernels in which ftrace keeps a pointer in front of each function go
 * down at one that lies unaligned, as the module is loaded.
 *
 * @see ftrace_call_adjust in arch/arm64/kernel/ftrace.c; 6.3 on
 */
export function checkPatchSites(elf: ElfFile, { arch, config }: KernelTarget): Finding[] {
  if (arch !== 'arm64' || !config.isOn('DYNAMIC_FTRACE_WITH_CALL_OPS')) return [];
  const unaligned = elf.sections
    .filter(({ name }) => name === '__patchable_function_entries')
    .flatMap((list) => elf.relocations(list))
    .filter(({ symbol, addend }) => ((symbol?.value ?? 0) + addend) % POINTER !== 0);
  if (unaligned.length === 0) return [];
  return [
    {
      severity: 'error',
      kind: 'patch-site',
      text: `${unaligned.length} function(s) do not lie where ftrace can keep a pointer in front of them: the kernel stops as it loads the module`,
      hint: 'Compile with clang or with gcc 14 and later, or mark no function as cold.',
    },
  ];
}

function definition(elf: ElfFile, name: string): ElfSymbol | undefined {
  return elf.symbols.find((symbol) => symbol.name === name && symbol.section !== undefined);
}
