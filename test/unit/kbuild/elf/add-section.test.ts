import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { addSection, type NewSection } from '../../../../src/kbuild/elf/add-section';
import { SHF, STB } from '../../../../src/kbuild/elf/constants';
import { readElf, type ElfFile } from '../../../../src/kbuild/elf/elf-file';
import { tempFolder } from '../../../support/temp-folder';
import { buildElf } from './build-elf';

/** All that a reader sees of an object, but for where in the file it is. */
function contents(elf: ElfFile) {
  // Its bytes are the names of the others.
  const sections = elf.sections.filter(({ name }) => name !== '.shstrtab');
  return {
    sections: sections.map((section) => ({
      ...section,
      offset: undefined,
      data: section.data().toString('hex'),
    })),
    symbols: elf.symbols.map((symbol) => ({ ...symbol, section: symbol.section?.name })),
  };
}

function added(bytes: Buffer, section: (elf: ElfFile) => NewSection): { before: ElfFile; after: ElfFile } {
  const before = readElf(bytes, 'before.o');
  return { before, after: readElf(addSection(bytes, before, section(before)), 'after.o') };
}

const anyText = fc.stringMatching(/^[a-z._]{1,12}$/);
const anyPlan = fc.record({
  sections: fc.uniqueArray(
    fc.record({ name: anyText, data: fc.uint8Array({ maxLength: 40 }).map((data) => Buffer.from(data)) }),
    { selector: ({ name }) => name, minLength: 1, maxLength: 6 },
  ),
  symbols: fc
    .array(fc.record({ name: anyText, bind: fc.constantFrom(STB.LOCAL, STB.GLOBAL) }), {
      minLength: 1,
      maxLength: 6,
    })
    .map((symbols) => symbols.sort((one, other) => one.bind - other.bind)),
});

describe('addSection', () => {
  it('gives the section with its relocations, and leaves all else as it was', () => {
    const wanted = fc.record({
      name: anyText,
      data: fc.uint8Array({ maxLength: 64 }).map((data) => Buffer.from(data)),
      addralign: fc.constantFrom(1, 2, 8, 16),
      places: fc.array(
        fc.record({ offset: fc.nat(), type: fc.nat(40), addend: fc.integer(), of: fc.nat() }),
        {
          maxLength: 5,
        },
      ),
    });
    fc.assert(
      fc.property(anyPlan, wanted, (plan, { name, data, addralign, places }) => {
        const uniqueName = `new.${name}`;
        const { before, after } = added(buildElf(plan), ({ symbols }) => ({
          ...{ name: uniqueName, data, addralign, flags: SHF.ALLOC },
          relocations: (data.length === 0 ? [] : places).map(({ offset, of, ...place }) => ({
            ...place,
            offset: offset % data.length,
            symbol: symbols[of % symbols.length]!,
          })),
        }));
        const [old, made] = [contents(before), contents(after)];
        expect(made.sections.slice(0, -2)).toEqual(old.sections);
        expect(made.symbols).toEqual(old.symbols);
        const section = after.section(uniqueName)!;
        expect(section).toMatchObject({ flags: SHF.ALLOC, addralign, size: data.length });
        expect(section.data().equals(data)).toBe(true);
        expect(section.offset % addralign).toBe(0);
        expect(after.section(`.rela${uniqueName}`)).toMatchObject({
          info: section.index,
          flags: SHF.INFO_LINK,
        });
        expect(
          after.relocations(section).map(({ offset, type, addend, symbol }) => ({
            ...{ offset, type, addend },
            symbol: symbol!.index,
          })),
        ).toEqual(
          (data.length === 0 ? [] : places).map(({ offset, type, addend, of }) => ({
            ...{ offset: offset % data.length, type, addend },
            symbol: before.symbols[of % before.symbols.length]!.index,
          })),
        );
      }),
    );
  });

  it('makes what other tools take for a good object', async () => {
    const folder = await tempFolder();
    const path = (name: string) => join(folder, name);
    writeFileSync(path('a.c'), 'int near(int x) { return x + 1; }\n');
    execFileSync('gcc', ['-g', '-c', '-o', path('a.o'), path('a.c')]);
    const bytes = readFileSync(path('a.o'));
    const elf = readElf(bytes, 'a.o');
    const symbol = elf.symbols.find(({ name }) => name === 'near')!;
    const relocations = [{ offset: 0, type: 1, symbol, addend: 2 }];
    const section = { name: 'places', data: Buffer.alloc(8), flags: SHF.ALLOC, addralign: 8, relocations };
    writeFileSync(path('b.o'), addSection(bytes, elf, section));
    execFileSync('ld', ['-r', '-o', path('c.o'), path('b.o')]);
    const seen = execFileSync('readelf', ['--relocs', '--sections', '--wide', path('c.o')], {
      encoding: 'utf8',
    });
    expect(seen).toMatch(/ places +PROGBITS +0+ [0-9a-f]+ 000008 00 +A /);
    expect(seen).toMatch(/R_X86_64_64 +0+ near \+ 2\n/);
  });

  it('counts the sections on when 16 bits no longer hold their number', () => {
    // With the empty one and three tables, this is the last number that they hold.
    const sections = Array.from({ length: 0xff00 - 1 - 4 }, (_, i) => ({ name: `s${i}` }));
    const section = (name: string) => (elf: ElfFile) => ({
      ...{ name, data: Buffer.alloc(8), flags: SHF.ALLOC, addralign: 8 },
      relocations: [{ offset: 0, type: 1, symbol: elf.symbols[0]!, addend: 0 }],
    });
    const bytes = buildElf({ sections, symbols: [{ name: 'last', section: sections.at(-1)!.name }] });
    const narrow = readElf(bytes, 'narrow.o');
    const wide = addSection(bytes, narrow, section('one')(narrow));
    const { before, after } = added(wide, section('two'));
    expect([narrow, before, after].map((elf) => elf.sections.length)).toEqual([0xfefe, 0xff00, 0xff02]);
    for (const name of ['one', 'two']) {
      expect(after.relocations(after.section(name)!)).toMatchObject([{ symbol: { name: 'last' } }]);
    }
  });
});
