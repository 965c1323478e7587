import fc from 'fast-check';
import { KhError } from '../../../../src/core/errors';
import { readElf, type ElfFile } from '../../../../src/kbuild/elf/elf-file';
import { listCallSites, type CallSiteForm } from '../../../../src/kbuild/modpost/call-sites';
import { readModuleObject } from '../../../../src/kbuild/modpost/module-object';
import { isInstalled } from '../../../support/installed';
import { gcc, objectOf, type Compiler } from './support/compile';

const clang: Compiler = {
  ...gcc,
  name: 'clang for x86-64',
  command: 'clang-16',
  flags: gcc.flags.concat('--target=x86_64-linux-gnu'),
};
const COMPILERS = [gcc, clang].filter(({ command }) => isInstalled(command));

const SOURCE = `
__init int init_module(void) { return 0; }
static __attribute__((noinline)) int inner(int x) { asm volatile("" : "+r"(x)); return x; }
int outer(int x) { return inner(x) + 1; }
int untraced(int x) __attribute__((no_instrument_function));
int untraced(int x) { return x + 2; }
`;

interface Making {
  compiler?: Compiler;
  form?: CallSiteForm;
  flags?: string[];
}

function traceable(source: string, { compiler = gcc, form = 'nops', flags = [] }: Making = {}) {
  const bytes = objectOf(source, { compiler, flags: ['-pg', '-mfentry', ...flags] });
  const made = listCallSites(readModuleObject(bytes, 'build/m.o'), form);
  return { bytes, made, elf: readElf(made, 'm.traceable.o') };
}

/** The functions at whose start, behind a landing pad, the listed places are, with the five bytes there. */
function listed(elf: ElfFile): [string | undefined, string][] {
  const table = elf.section('__mcount_loc');
  return (table === undefined ? [] : elf.relocations(table)).map(({ symbol, addend }) => {
    const place = symbol!.value + addend;
    const section = symbol!.section!;
    const owner = elf.symbols.find(
      ({ section: home, type, value }) =>
        home === section && type === 2 && place - value <= 4 && place >= value,
    );
    return [owner?.name, section.data().toString('hex', place, place + 5)];
  });
}

describe.each(COMPILERS)('the list for ftrace in an object of $name', (compiler) => {
  it('names each traced function once, with a NOP where the kernel expects one', () => {
    const { elf } = traceable(SOURCE, { compiler });
    expect(listed(elf).sort()).toEqual([
      ['init_module', '0f1f440000'],
      ['inner', '0f1f440000'],
      ['outer', '0f1f440000'],
    ]);
    const code = elf.section('.text')!;
    const types = elf.relocations(code).filter(({ symbol }) => symbol?.name === '__fentry__');
    expect(types.map(({ type }) => type)).toEqual([0, 0]);
  });

  it('names the calls where the kernel makes the NOPs itself', () => {
    const { elf } = traceable(SOURCE, { compiler, form: 'calls' });
    expect(
      listed(elf)
        .map(([name, code]) => [name, code.slice(0, 2)])
        .sort(),
    ).toEqual([
      ['init_module', 'e8'],
      ['inner', 'e8'],
      ['outer', 'e8'],
    ]);
  });
});

describe('an object', () => {
  it('without traced functions stays as it is', () => {
    const bytes = objectOf('int f(void) { return 1; }');
    expect(listCallSites(readModuleObject(bytes, 'm.o'), 'nops')).toBe(bytes);
  });

  it('whose compiler made the list stays as it is', () => {
    const { bytes, made } = traceable(SOURCE, { flags: ['-mrecord-mcount'] });
    expect(made).toBe(bytes);
  });

  it('has replacements for other instructions and what is thrown away left alone', () => {
    const { elf } = traceable(`
      asm(".section .altinstr_replacement,\\"ax\\"\\ncall __fentry__\\n.previous");
      asm(".section .discard.text,\\"ax\\"\\ncall __fentry__\\n.previous");
      int f(void) { return 1; }`);
    expect(listed(elf)).toEqual([['f', '0f1f440000']]);
  });

  it('that is damaged is refused, or gives one that can be read', () => {
    const bytes = objectOf(SOURCE, { flags: ['-pg', '-mfentry'] });
    const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(damage, (changes) => {
        const damaged = Buffer.from(bytes);
        for (const [at, value] of changes) damaged[at] = value;
        try {
          const made = listCallSites(readModuleObject(damaged, 'm.o'), 'nops');
          expect(made.length).toBeGreaterThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(KhError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
