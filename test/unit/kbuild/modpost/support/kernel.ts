import { parseAutoconf } from '../../../../../src/kbuild/kernel-config';
import { versionTables, type KernelTarget } from '../../../../../src/kbuild/modpost/kernel-target';
import type { SymversEntry } from '../../../../../src/kbuild/symvers/symvers-file';

const FOUND_IN: [since: number, path: string][] = [
  [4019, 'include/linux/build-salt.h'],
  [5012, 'include/linux/elfnote-lto.h'],
  [5019, 'include/linux/export-internal.h'],
  [6005, 'arch/x86/include/asm/orc_header.h'],
];

/** What kernels have in export-internal.h, each with what came before. */
const EXPORT_MACROS: [since: number, name: string][] = [
  [5019, 'SYMBOL_CRC'],
  [6005, 'KSYMTAB_FUNC'],
  [7002, 'SYMBOL_FLAGS'],
];

/** A kernel of which only its version and configuration are known: `kernel('6.1', 'MODVERSIONS', 'SMP')`. */
export function kernel(version: string, ...options: string[]): KernelTarget {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const arch = options.includes('X86_64') ? 'x86_64' : 'arm64';
  const config = parseAutoconf(options.map((name) => `#define CONFIG_${name} 1\n`).join(''));
  const hasCome = ([since]: [number, string]) => since <= 1000 * major + minor;
  const files = FOUND_IN.filter(hasCome).map(([, path]) => path);
  const macros = EXPORT_MACROS.filter(hasCome).map(([, name]) => `#define ${name}`);
  return {
    arch,
    config,
    version: { release: `${version}.9-test`, major, minor, patch: 9 },
    versionTables: versionTables(config),
    hasHeader: (path) => files.includes(path),
    headerText: (path) => (path === 'include/linux/export-internal.h' ? macros.join('\n') : ''),
  };
}

/** A line of the kernel's Module.symvers. */
export function exported(name: string, more: Partial<SymversEntry> = {}): SymversEntry {
  return { name, crc: 0x1000 + name.length, module: 'vmlinux', gpl: false, namespace: '', ...more };
}
