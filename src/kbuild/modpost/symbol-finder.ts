import { EM_X86_64, SHF, STT } from '../elf/constants';
import type { ElfFile, ElfRelocation, ElfSection, ElfSymbol } from '../elf/elf-file';

/** A place in an object, for people. */
export interface Place {
  section: ElfSection;
  /** The nearest symbol at or before it; of several, a local one: `my_start` rather than `init_module`. */
  symbol: ElfSymbol | undefined;
}

/** Finds which function or variable a place in an object belongs to. */
export class SymbolFinder {
  private readonly sorted = new Map<ElfSection, ElfSymbol[]>();

  constructor(private readonly elf: ElfFile) {}

  at(section: ElfSection, offset: number): Place {
    const symbol = this.inSection(section).findLast(({ value }) => value <= offset);
    return { section, symbol };
  }

  /** What a relocation points to; undefined when that is outside the object. */
  target({ symbol, type, addend }: ElfRelocation): Place | undefined {
    if (symbol?.section === undefined) return undefined;
    if (symbol.type !== STT.SECTION && isName(symbol.name)) return { section: symbol.section, symbol };
    // Relative to the end of the instruction, in which the distance is last.
    const shift =
      this.elf.machine === EM_X86_64 && (type === R_X86_64_PC32 || type === R_X86_64_PLT32) ? 4 : 0;
    return this.at(symbol.section, symbol.value + addend + shift);
  }

  /** The first place in code or data that refers to `symbol`. */
  user(symbol: ElfSymbol): Place | undefined {
    for (const section of this.elf.sections.filter(({ flags }) => (flags & SHF.ALLOC) !== 0)) {
      const use = this.elf.relocations(section).find((relocation) => relocation.symbol === symbol);
      if (use !== undefined) return this.at(section, use.offset);
    }
    return undefined;
  }

  private inSection(section: ElfSection): ElfSymbol[] {
    let symbols = this.sorted.get(section);
    if (symbols === undefined) {
      symbols = this.elf.symbols
        .filter((symbol) => symbol.section === section && symbol.type !== STT.SECTION && isName(symbol.name))
        .sort((one, other) => one.value - other.value || other.bind - one.bind);
      this.sorted.set(section, symbols);
    }
    return symbols;
  }
}

const R_X86_64_PC32 = 2;
const R_X86_64_PLT32 = 4;

/** `run()` for a function, `table` for a variable. */
export function describePlace({ section, symbol }: Place): string {
  if (symbol === undefined) return `something in ${section.name}`;
  return symbol.type === STT.FUNC ? `${symbol.name}()` : symbol.name;
}

/** False for the marks that assemblers leave: `$x`, `.L12`. */
function isName(name: string): boolean {
  return name !== '' && !name.startsWith('$') && !name.startsWith('.L');
}
