import { SHN, STB } from '../elf/constants';
import type { Diagnostic } from './diagnostic';
import type { ModuleObject } from './module-object';

/** Variables that the compiler left for the linker to place, which no kernel does. */
export function checkCommon({ elf, path }: ModuleObject): Diagnostic[] {
  return elf.symbols
    .filter(({ shndx }) => shndx === SHN.COMMON)
    .map(({ name }) => ({
      severity: 'error',
      kind: 'common-symbol',
      file: path,
      text: `"${name}" is a COMMON symbol, which the kernel refuses: compile with -fno-common, or give it a value where it is defined`,
    }));
}

/** Exports of what the module does not define, keeps to itself, or loses after its start. */
export function checkExports({ exported, path }: ModuleObject): Diagnostic[] {
  const found: Diagnostic[] = [];
  const say = (severity: Diagnostic['severity'], text: string) =>
    found.push({ severity, kind: 'bad-export', file: path, text });
  for (const { name, symbol } of exported.list) {
    const home = symbol?.section?.name ?? '';
    if (symbol === undefined) {
      say('error', `"${name}" is exported, but the module does not define it`);
    } else if (isDiscarded(home)) {
      say(
        'error',
        `"${name}" is exported, but in ${home}, which is freed: remove its __init or __exit, or the EXPORT_SYMBOL`,
      );
    } else if (symbol.bind === STB.LOCAL) {
      // Only modpost since 6.5 insists.
      const severity = exported.style === 'export-symbol' ? 'error' : 'warning';
      say(severity, `"${name}" is exported, but static: remove the static, or the EXPORT_SYMBOL`);
    }
  }
  return found;
}

/** Exports that the kernel's headers drop, as TRIM_UNUSED_KSYMS keeps a list of those that may be. */
export function checkTrimmed({ exported, path }: ModuleObject): Diagnostic[] {
  if (exported.trimmed.length === 0) return [];
  const names = exported.trimmed.map((name) => `"${name}"`).join(', ');
  const text = `${names} will not be exported: this kernel has CONFIG_TRIM_UNUSED_KSYMS, and its headers drop every EXPORT_SYMBOL that is not on its list`;
  return [{ severity: 'warning', kind: 'trimmed-export', file: path, text }];
}

/** True for sections that are freed after the module's start or never loaded. */
export function isDiscarded(section: string): boolean {
  return isInit(section) || isExit(section);
}

export function isInit(section: string): boolean {
  return /^\.(mem)?init\.(text|data|rodata|setup)/.test(section);
}

export function isExit(section: string): boolean {
  return /^\.(mem)?exit\.(text|data)/.test(section);
}
