'use strict';
// What a module of kh is to have in common with that of the kernel's own build.
const { readModuleVersions } = require('../../dist/kbuild/check/module-versions');
const { EM_X86_64, SHF, SHN, SHT } = require('../../dist/kbuild/elf/constants');
const { readElf } = require('../../dist/kbuild/elf/elf-file');
const { readModInfo } = require('../../dist/kbuild/modpost/modinfo');

/** Sections that objtool or pahole add: docs/kdir.md says what is missing without them. */
const ADDED = new Set([
  ...['.orc_unwind', '.orc_unwind_ip'],
  ...['.retpoline_sites', '.return_sites', '.call_sites', '.ibt_endbr_seal', '.cfi_sites'],
  ...['.static_call_sites', '.BTF', '.BTF.base', '.BTF_ids'],
]);

/** A digest of the sources, which kh makes otherwise. */
const OWN_INFO = new Set(['srcversion']);

/** Their sizes follow from what was compared already, in another order or form. */
const UNSIZED = new Set(['.modinfo', '__versions']);

/**
 * @param {Buffer} ofKbuild
 * @param {Buffer} ofKh
 * @param {Set<string>} exportedHere names that modules of the same build export: their CRCs are each build's own
 * @returns {string[]} how the two differ; nothing where they are alike
 */
function compareModules(ofKbuild, ofKh, exportedHere) {
  const [theirs, ours] = [readElf(ofKbuild, 'of kbuild'), readElf(ofKh, 'of kh')];
  const crcs = (elf) => kernelCrcs(elf, exportedHere);
  return [
    ...differences('undefined symbol', undefinedSymbols(theirs), undefinedSymbols(ours)),
    ...differences('CRC of', crcs(theirs), crcs(ours)),
    ...differences('modinfo', modInfo(theirs), modInfo(ours)),
    ...differences('section', loadedSections(theirs), loadedSections(ours)),
    ...lowerAlignments(theirs, ours),
  ];
}

function undefinedSymbols({ symbols }) {
  const missing = symbols.filter(({ shndx }) => shndx === SHN.UNDEF);
  return new Map(missing.map(({ name, bind }) => [name, `bind ${bind}`]));
}

function kernelCrcs(elf, exportedHere) {
  const crcs = [...(readModuleVersions(elf) ?? [])].filter(([name]) => !exportedHere.has(name));
  return new Map(crcs.map(([name, crc]) => [name, hex(crc)]));
}

function modInfo(elf) {
  const tags = [...readModInfo(elf)].filter(([tag]) => !OWN_INFO.has(tag));
  return new Map(tags.map(([tag, values]) => [tag, values.toSorted().join(' | ')]));
}

function loadedSections(elf) {
  return new Map(
    loaded(elf).map(({ name, type, flags, size }) => {
      const kind = { [SHT.NOBITS]: 'no bits', [SHT.NOTE]: 'note' }[type] ?? 'bits';
      const sized = !UNSIZED.has(name) && !(hasPatchedBranches(elf) && (flags & SHF.EXECINSTR) !== 0);
      return [name, `${kind}, flags ${hex(flags)}${sized ? `, ${size} bytes` : ''}`];
    }),
  );
}

/** objtool makes NOPs of jumps of two bytes or five; without it, the compiler's NOPs all have five. */
function hasPatchedBranches(elf) {
  return elf.machine === EM_X86_64 && elf.section('__jump_table') !== undefined;
}

/** More than kbuild's is fine: later kernels ask for more than earlier ones. */
function lowerAlignments(theirs, ours) {
  return loaded(ours).flatMap(({ name, addralign }) => {
    const wanted = theirs.section(name)?.addralign ?? 1;
    return addralign >= wanted ? [] : [`section ${name}: aligned to ${addralign}, to ${wanted} by kbuild`];
  });
}

/** Not the empty ones: linker scripts leave some. */
function loaded({ sections }) {
  const isLoaded = ({ flags, size }) => (flags & SHF.ALLOC) !== 0 && size > 0;
  return sections.filter((section) => isLoaded(section) && !ADDED.has(section.name));
}

function differences(what, theirs, ours) {
  const names = [...new Set([...theirs.keys(), ...ours.keys()])].sort();
  return names
    .filter((name) => theirs.get(name) !== ours.get(name))
    .map(
      (name) => `${what} ${name}: ${theirs.get(name) ?? 'none'} by kbuild, ${ours.get(name) ?? 'none'} by kh`,
    );
}

function hex(number) {
  return `0x${number.toString(16)}`;
}

module.exports = { compareModules };
