import type { KernelArch } from '../kernel-config';

/** The relocations that each kernel's loader can do, by the numbers of the processor's ELF ABI. */
const LOADABLE: Record<KernelArch, ReadonlySet<number>> = {
  // arch/arm64/kernel/module.c, apply_relocate_add: data, MOVW (absolute and relative), and immediates of instructions.
  arm64: new Set([0, ...range(256, 280), 282, 283, ...range(284, 293), 299]),
  // arch/x86/kernel/module.c: NONE, 64, PC32, PLT32, 32, 32S, PC64.
  x86_64: new Set([0, 1, 2, 4, 10, 11, 24]),
};

/** Those that compilers make when they were told the wrong thing. */
const KNOWN: Record<KernelArch, Readonly<Record<number, string>>> = {
  arm64: {
    281: 'R_AARCH64_ADR_GOT',
    311: 'R_AARCH64_ADR_GOT_PAGE',
    312: 'R_AARCH64_LD64_GOT_LO12_NC',
    314: 'R_AARCH64_PLT32',
  },
  x86_64: {
    3: 'R_X86_64_GOT32',
    9: 'R_X86_64_GOTPCREL',
    19: 'R_X86_64_TLSGD',
    22: 'R_X86_64_GOTTPOFF',
    23: 'R_X86_64_TPOFF32',
    41: 'R_X86_64_GOTPCRELX',
    42: 'R_X86_64_REX_GOTPCRELX',
  },
};

export function isLoadable(arch: KernelArch, type: number): boolean {
  return LOADABLE[arch].has(type);
}

export function relocationName(arch: KernelArch, type: number): string {
  return KNOWN[arch][type] ?? `relocation type ${type}`;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
