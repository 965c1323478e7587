import { EM_AARCH64, EM_X86_64, ET_REL, SHF, SHN, SHT, STB } from '../elf/constants';
import { readElf, type ElfFile, type ElfSection } from '../elf/elf-file';
import { readModInfo } from '../modpost/modinfo';
import { THIS_MODULE, vermagicTail, type LoaderExpectations } from './expectations';
import type { Finding } from './finding';
import { checkCfi, checkJumpLabels, checkLandingPads, checkPatchSites } from './hardening';
import { isLoadable, relocationName } from './loadable-relocations';
import { readModuleVersions } from './module-versions';

const REBUILD = 'Build it again, against the workspace of this kernel.';

/**
 * Looks at a finished module as the kernel's loader would, before a device
 * sees it. What can't be told without the device (signatures, protected
 * symbols, memory) is not looked at.
 *
 * @param path names the module in errors
 * @returns what is wrong; empty for a module that should load
 * @throws KhError BUILD_BAD_OBJECT when it is no ELF file at all
 */
export function checkModule(bytes: Buffer, path: string, expected: LoaderExpectations): Finding[] {
  const elf = readElf(bytes, path);
  const machine = checkMachine(elf, expected);
  if (machine.length > 0) return machine;
  return [
    ...checkTables(elf),
    ...checkThisModule(elf, expected),
    ...checkVermagic(elf, expected),
    ...checkSections(elf, expected),
    ...checkRelocations(elf, expected),
    ...checkSymbols(elf, expected),
    ...checkVersions(elf, expected),
    ...checkCfi(elf, expected.kernel),
    ...checkLandingPads(elf, expected.kernel),
    ...checkJumpLabels(elf, expected.kernel),
    ...checkPatchSites(elf, expected.kernel),
  ];
}

function checkMachine({ machine, type }: ElfFile, { kernel }: LoaderExpectations): Finding[] {
  const wanted = kernel.arch === 'arm64' ? EM_AARCH64 : EM_X86_64;
  if (machine !== wanted) {
    const text = `it is for processor type ${machine} of ELF, and the kernel is for ${kernel.arch} (${wanted})`;
    return [{ severity: 'error', kind: 'machine', text, hint: REBUILD }];
  }
  if (type === ET_REL) return [];
  const text = `it is an ELF file of type ${type}, where modules are relocatable (${ET_REL})`;
  return [{ severity: 'error', kind: 'machine', text, hint: 'Link it with -r.' }];
}

/** One symbol table and one `.modinfo` with a name: since 6.4 the loader insists. */
function checkTables(elf: ElfFile): Finding[] {
  const found: Finding[] = [];
  const tables = elf.sections.filter(({ type }) => type === SHT.SYMTAB).length;
  if (tables !== 1) {
    const text = `it has ${tables} symbol tables, where one is needed`;
    found.push({
      severity: 'error',
      kind: 'symbol-table',
      text,
      hint: 'Do not strip it: strip --strip-debug at most.',
    });
  }
  const infos = elf.sections.filter(({ name }) => name === '.modinfo').length;
  if (infos !== 1) {
    const text = `it has ${infos} .modinfo sections, where one is needed`;
    found.push({ severity: 'error', kind: 'section', text, hint: REBUILD });
  }
  return found;
}

function checkThisModule(elf: ElfFile, { thisModuleSize }: LoaderExpectations): Finding[] {
  const problem = (text: string, hint: string): Finding[] => [
    { severity: 'error', kind: 'this-module', text, hint },
  ];
  const [section, ...more] = elf.sections.filter(({ name }) => name === THIS_MODULE);
  if (section === undefined || more.length > 0) {
    const text = `it has ${section === undefined ? 0 : 1 + more.length} sections ${THIS_MODULE}, where one is needed`;
    return problem(text, 'Link the object that its .mod.c compiles to, once.');
  }
  if (!isLoaded(section) || section.type === SHT.NOBITS) {
    return problem(`its ${THIS_MODULE} is not loaded`, REBUILD);
  }
  if (thisModuleSize === undefined || section.size === thisModuleSize) return [];
  const text = `its struct module has ${section.size} bytes, and this kernel's has ${thisModuleSize}`;
  return problem(text, `It was compiled with another kernel's headers or configuration. ${REBUILD}`);
}

/** The kernel skips the release, its first word, for modules that carry CRCs. */
function checkVermagic(elf: ElfFile, { vermagic }: LoaderExpectations): Finding[] {
  const own = readModInfo(elf).get('vermagic')?.[0];
  const skipped = readModuleVersions(elf) !== undefined;
  if (own === vermagic) return [];
  if (own !== undefined && skipped && vermagicTail(own) === vermagicTail(vermagic)) return [];
  const text = `its vermagic is "${own ?? ''}", and the kernel wants "${vermagic}"`;
  return [{ severity: 'error', kind: 'vermagic', text, hint: `It was built for another kernel. ${REBUILD}` }];
}

function checkSections(elf: ElfFile, { sections }: LoaderExpectations): Finding[] {
  return sections
    .filter((name) => elf.section(name) === undefined)
    .map((name) => ({
      severity: 'error',
      kind: 'section',
      text: `it has no section ${name}, without which this kernel's loader refuses it`,
      hint: 'Link it with the linker script of the kdir (module.lds).',
    }));
}

/** Only what is loaded is relocated. One finding a type, as a wrong flag brings hundreds. */
function checkRelocations(elf: ElfFile, { kernel: { arch } }: LoaderExpectations): Finding[] {
  const found = new Map<number, string>();
  for (const section of elf.sections.filter(isLoaded)) {
    for (const { type, symbol } of elf.relocations(section)) {
      if (isLoadable(arch, type) || found.has(type)) continue;
      const target = symbol?.name ? ` for ${symbol.name}` : '';
      found.set(
        type,
        `${section.name} has ${relocationName(arch, type)}${target}, which the loader can't do`,
      );
    }
  }
  const findings: Finding[] = [...found.values()].map((text) => ({
    severity: 'error',
    kind: 'relocation',
    text,
    hint: 'Compile with the flags of the kernel: -fno-PIE, and -mcmodel=kernel on x86-64.',
  }));
  const old = elf.sections.find(({ type, info }) => type === SHT.REL && isLoaded(elf.sections[info - 1]));
  if (old === undefined) return findings;
  const text = `${old.name} has relocations without addends, which the loader can't do`;
  return [...findings, { severity: 'error', kind: 'relocation', text, hint: REBUILD }];
}

function checkSymbols(elf: ElfFile, { exported }: LoaderExpectations): Finding[] {
  return elf.symbols.flatMap(({ name, shndx, bind }): Finding[] => {
    if (shndx === SHN.COMMON) {
      const text = `"${name}" is a COMMON symbol, which the loader refuses`;
      return [{ severity: 'error', kind: 'common-symbol', text, hint: 'Compile with -fno-common.' }];
    }
    // The loader passes over what assemblers name when they mean a table of addresses.
    const needed = shndx === SHN.UNDEF && bind !== STB.WEAK && name !== '_GLOBAL_OFFSET_TABLE_';
    if (!needed || exported?.has(name) !== false) return [];
    const text = `it uses "${name}", which nothing known exports`;
    const hint = 'Load the module that exports it first, or remove the use.';
    return [{ severity: 'error', kind: 'symbol', text, hint }];
  });
}

/** Every CRC that the kernel would compare: that of its layout, and of each used symbol. */
function checkVersions(elf: ElfFile, { exported, kernel }: LoaderExpectations): Finding[] {
  if (!kernel.config.isOn('MODVERSIONS')) return [];
  const versions = readModuleVersions(elf);
  if (versions === undefined) {
    const text = 'it carries no CRCs, and this kernel wants them';
    return [{ severity: 'error', kind: 'crc', text, hint: REBUILD }];
  }
  const used = elf.symbols.filter(({ shndx }) => shndx === SHN.UNDEF).map(({ name }) => name);
  return ['module_layout', ...used].flatMap((name): Finding[] => {
    const wanted = exported?.get(name)?.crc;
    if (wanted === undefined) return [];
    const own = versions.get(name);
    if (own === wanted) return [];
    if (own === undefined) {
      const text = `it carries no CRC for "${name}": Android's kernels take it all the same, Debian's do not`;
      return [{ severity: 'warning', kind: 'crc', text, hint: REBUILD }];
    }
    const text = `it was built for another "${name}": CRC ${inHex(own)}, and the kernel has ${inHex(wanted)}`;
    return [{ severity: 'error', kind: 'crc', text, hint: REBUILD }];
  });
}

function isLoaded(section: ElfSection | undefined): boolean {
  return section !== undefined && (section.flags & SHF.ALLOC) !== 0;
}

function inHex(crc: number): string {
  return `0x${crc.toString(16).padStart(8, '0')}`;
}
