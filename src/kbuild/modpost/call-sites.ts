import { addSection } from '../elf/add-section';
import { SHF, STB, STT } from '../elf/constants';
import type { ElfFile, ElfRelocation, ElfSection, ElfSymbol } from '../elf/elf-file';
import type { ModuleObject } from './module-object';

/**
 * What an x86-64 kernel expects at the places where ftrace hooks in: the calls
 * as the compiler left them, which it turns into NOPs when a module is loaded,
 * or the NOPs themselves (`CC_USING_NOP_MCOUNT`), where its build has objtool
 * make them.
 */
export type CallSiteForm = 'calls' | 'nops';

/** A call of `__fentry__`, by the relocation in it. */
interface CallSite {
  section: ElfSection;
  relocation: ElfRelocation;
  /** What a relocation can name the place by. */
  anchor: ElfSymbol;
}

const CALL = 0xe8;
/** The NOP of five bytes that the kernel compares the places with. */
const NOP5 = Buffer.from([0x0f, 0x1f, 0x44, 0x00, 0x00]);
const R_X86_64_NONE = 0;
const R_X86_64_64 = 1;

/**
 * The object with its calls of `__fentry__` listed in `__mcount_loc`, from
 * which ftrace knows what of a module it can trace. gcc writes that list
 * itself (`-mrecord-mcount`); for clang, the kernel's build leaves it to
 * recordmcount or objtool.
 *
 * @returns the object as it is where there is nothing to list, or the list is there
 * @see tools/objtool/check.c (create_mcount_loc_sections) and kernel/trace/ftrace.c (ftrace_process_locs) of the kernel
 */
export function listCallSites({ bytes, elf }: ModuleObject, form: CallSiteForm): Buffer {
  const sites = elf.section('__mcount_loc') === undefined ? findCallSites(elf) : [];
  if (sites.length === 0) return bytes;
  const object = Buffer.from(bytes);
  if (form === 'nops') for (const site of sites) removeCall(object, site);
  return addSection(object, elf, {
    name: '__mcount_loc',
    data: Buffer.alloc(8 * sites.length),
    flags: SHF.ALLOC,
    addralign: 8,
    relocations: sites.map(({ relocation, anchor }, index) => ({
      offset: 8 * index,
      type: R_X86_64_64,
      symbol: anchor,
      addend: relocation.offset - 1 - anchor.value,
    })),
  });
}

function findCallSites(elf: ElfFile): CallSite[] {
  const code = elf.sections.filter(isLoadedCode);
  return code.flatMap((section) => {
    const calls = elf.relocations(section).filter((relocation) => isCall(section, relocation));
    if (calls.length === 0) return [];
    const anchors = elf.symbols.filter((symbol) => symbol.section === section).sort(bestLast);
    return calls.flatMap((relocation): CallSite[] => {
      const anchor = anchors.findLast(({ value }) => value < relocation.offset);
      return anchor === undefined ? [] : [{ section, relocation, anchor }];
    });
  });
}

function isCall(section: ElfSection, { offset, symbol }: ElfRelocation): boolean {
  const [opcode, ...distance] = section.data().subarray(offset - 1, offset + 4);
  return symbol?.name === '__fentry__' && opcode === CALL && distance.length === 4;
}

/** Replacements for other instructions are copied over them: what is traced is what they replace. */
function isLoadedCode({ name, flags }: ElfSection): boolean {
  const loaded = (flags & SHF.ALLOC) !== 0 && (flags & SHF.EXECINSTR) !== 0;
  return loaded && name !== '.altinstr_replacement' && !name.startsWith('.discard');
}

/** The section's own symbol is the best name for a place in it; clang leaves it out where it needs none. */
function bestLast(one: ElfSymbol, other: ElfSymbol): number {
  return rank(one) - rank(other) || one.value - other.value;
}

function rank({ type, bind }: ElfSymbol): number {
  return 2 * Number(type === STT.SECTION) + Number(bind === STB.LOCAL);
}

/** As objtool leaves them: the relocation stays, with a type that does nothing. */
function removeCall(object: Buffer, { section, relocation }: CallSite): void {
  NOP5.copy(object, section.offset + relocation.offset - 1);
  object.writeUInt32LE(R_X86_64_NONE, relocation.entry + 8);
}
