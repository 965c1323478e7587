import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { KhError } from '../../../../src/core/errors';
import { EM_X86_64, ET_REL, SHN, STB, STT } from '../../../../src/kbuild/elf/constants';
import { readElf, type ElfFile } from '../../../../src/kbuild/elf/elf-file';
import { damaged } from '../../../support/fuzz/arbitraries';
import { tempFolder } from '../../../support/temp-folder';
import { buildElf } from './build-elf';

const sample = () =>
  buildElf({
    sections: [
      { name: '.text', data: Buffer.from('0123456789abcdef') },
      { name: '.bss', type: 8, size: 4096 },
    ],
    symbols: [
      { name: 'helper', section: '.text', value: 4, size: 8, bind: STB.LOCAL, type: STT.FUNC },
      { name: 'printk' },
      { name: 'shared', section: SHN.COMMON, value: 8, size: 64 },
      { name: 'state', section: '.bss', type: STT.OBJECT },
    ],
    relocations: [
      { section: '.text', offset: 8, type: 283, symbol: 'printk', addend: -4 },
      { section: '.text', offset: 12, type: 257, symbol: '' },
    ],
  });

/** Everything that a reader of the file could ask for. */
function readAll(elf: ElfFile): unknown {
  return elf.sections.map((section) => [section.name, section.data().length, elf.relocations(section)]);
}

function failure(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('readElf', () => {
  it('gives the sections, symbols and relocations of an object', () => {
    const elf = readElf(sample(), 'a.o');
    const text = elf.section('.text')!;
    expect(elf).toMatchObject({ path: 'a.o', type: ET_REL, machine: 183 });
    expect(text.data().toString()).toBe('0123456789abcdef');
    expect(elf.section('.bss')).toMatchObject({ size: 4096 });
    expect(elf.section('.bss')!.data()).toHaveLength(0);
    expect(elf.section('.none')).toBeUndefined();
    expect(elf.symbols.map(({ name, shndx, section }) => [name, shndx, section?.name])).toEqual([
      ['helper', 1, '.text'],
      ['printk', SHN.UNDEF, undefined],
      ['shared', SHN.COMMON, undefined],
      ['state', 2, '.bss'],
    ]);
    expect(elf.symbols[0]).toMatchObject({ value: 4, size: 8, bind: STB.LOCAL, type: STT.FUNC });
    expect(elf.relocations(text)).toMatchObject([
      { offset: 8, type: 283, addend: -4, symbol: elf.symbols[1] },
      { offset: 12, type: 257, addend: 0, symbol: undefined },
    ]);
  });

  it('sees what nm sees in an object of the compiler', async () => {
    const folder = await tempFolder();
    const source = join(folder, 'a.c');
    const object = join(folder, 'a.o');
    writeFileSync(source, 'extern int far(int); static int s; int near(int x) { return far(x) + s++; }\n');
    execFileSync('gcc', ['-c', '-O1', '-fno-common', '-o', object, source]);
    const elf = readElf(readFileSync(object), object);
    const names = elf.symbols.filter(({ bind }) => bind === STB.GLOBAL).map(({ name }) => name);
    const seen = execFileSync('nm', ['--extern-only', '--format=just-symbols', object], { encoding: 'utf8' });
    expect(names.sort()).toEqual(seen.trim().split('\n').sort());
    expect(elf.machine).toBe(EM_X86_64);
    expect(elf.relocations(elf.section('.text')!).map(({ symbol }) => symbol?.name)).toContain('far');
  });

  it('reads files with more sections than 16 bits can count', async () => {
    const folder = await tempFolder();
    const source = join(folder, 'many.s');
    const object = join(folder, 'many.o');
    const sections = Array.from({ length: 0xff10 }, (_, i) => `.section s${i},"a"\n`).join('');
    writeFileSync(source, `${sections}last:\n.byte 1\n`);
    execFileSync('gcc', ['-c', '-o', object, source]);
    const elf = readElf(readFileSync(object), object);
    const last = elf.symbols.find(({ name }) => name === 'last')!;
    expect(elf.sections.length).toBeGreaterThan(0xff10);
    expect(last.section!.name).toBe(`s${0xff10 - 1}`);
  });

  it('says what a file is that is no object', () => {
    const textFile = failure(() => readElf(Buffer.from('#!/bin/sh\n'.repeat(20)), 'a.o'));
    expect(textFile).toMatchObject({ code: 'BUILD_BAD_OBJECT', message: 'a.o is no ELF file' });
    const narrow = sample();
    narrow[4] = 1;
    expect(failure(() => readElf(narrow, 'a.o'))).toMatchObject({
      message: 'a.o is no 64-bit little-endian ELF file',
    });
  });

  it('refuses a file that was cut off, wherever that was', () => {
    const whole = sample();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        expect(failure(() => readElf(whole.subarray(0, length), 'a.o'))).toMatchObject({
          code: 'BUILD_BAD_OBJECT',
        });
      }),
    );
  });

  it('answers damage with an error of its own or with values inside the file, never otherwise', () => {
    const whole = sample();
    fc.assert(
      fc.property(damaged(whole), (bytes) => {
        const error = failure(() => readAll(readElf(bytes, 'a.o')));
        if (error !== undefined) {
          expect(error).toBeInstanceOf(KhError);
          expect(error).toMatchObject({ code: 'BUILD_BAD_OBJECT' });
        }
      }),
      { numRuns: 3000 },
    );
  });
});
