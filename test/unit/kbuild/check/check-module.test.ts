import fc from 'fast-check';
import { KhError } from '../../../../src/core/errors';
import { checkModule } from '../../../../src/kbuild/check/check-module';
import type { LoaderExpectations } from '../../../../src/kbuild/check/expectations';
import type { KernelTarget } from '../../../../src/kbuild/modpost/kernel-target';
import { buildElf, type ElfPlan } from '../elf/build-elf';
import { compile } from '../modpost/support/compile';
import { exported, kernel } from '../modpost/support/kernel';

const VERMAGIC = '6.1.9-test SMP preempt mod_unload modversions ';
const HASH = '.byte 0xb8\n.long 0x36b1c5a6';

/** A module for x86-64 in assembler, as it is after its last link. */
const GOOD = `
  .section .modinfo, "a"
    .asciz "license=GPL"
    .asciz "name=thing"
    .asciz "vermagic=${VERMAGIC}"
  .section .gnu.linkonce.this_module, "aw"
    .zero 64
    .quad init_module
    .zero 56
  .section __versions, "a"
    .quad 0x21475b0e
    .asciz "module_layout"
    .zero 42
    .quad 0x92997ed8
    .asciz "_printk"
    .zero 48
  .text
    ${HASH}
    .globl init_module
  init_module:
    endbr64
    call _printk
    ret
  .size init_module, . - init_module
`;

const OPTIONS = ['X86_64', 'SMP', 'MODVERSIONS', 'CFI_CLANG', 'X86_KERNEL_IBT'];

const EXPECTED: LoaderExpectations = {
  kernel: kernel('6.1', ...OPTIONS),
  vermagic: VERMAGIC,
  thisModuleSize: 128,
  sections: [],
  exported: new Map(
    [exported('module_layout', { crc: 0x21475b0e }), exported('_printk', { crc: 0x92997ed8 })].map(
      (entry) => [entry.name, entry],
    ),
  ),
};

const assembled = new Map<string, Buffer>();

/** What is found in the good module with one thing changed. */
function findings(
  change: [from: string | RegExp, to: string] = ['', ''],
  expected: Partial<LoaderExpectations> = {},
  flags: string[] = [],
) {
  const source = GOOD.replace(...change);
  const key = source + flags.join(' ');
  const bytes = assembled.get(key) ?? compile(source, { language: 'assembler', flags });
  assembled.set(key, bytes);
  return checkModule(bytes, 'thing.ko', { ...EXPECTED, ...expected }).map(
    ({ severity, text, hint }) => `${severity}: ${text}. ${hint}`,
  );
}

/** The same for arm64, made of bytes. */
function armFindings(plan: ElfPlan, target: KernelTarget, sections: string[] = []) {
  const bytes = buildElf({
    machine: 183,
    ...plan,
    sections: [
      { name: '.modinfo', data: Buffer.from(`vermagic=${VERMAGIC}\0`) },
      { name: '.gnu.linkonce.this_module', flags: 3, data: Buffer.alloc(128) },
      ...(plan.sections ?? []),
    ],
  });
  return checkModule(bytes, 'thing.ko', { ...EXPECTED, kernel: target, sections, exported: undefined }).map(
    ({ kind, text }) => `${kind}: ${text}`,
  );
}

describe('checkModule', () => {
  it('finds nothing in a module that the kernel takes', () => {
    expect(findings()).toEqual([]);
  });

  it('names both processors when it is for another', () => {
    const bytes = buildElf({ machine: 183 });
    expect(checkModule(bytes, 'thing.ko', EXPECTED)).toMatchObject([
      {
        severity: 'error',
        kind: 'machine',
        text: 'it is for processor type 183 of ELF, and the kernel is for x86_64 (62)',
      },
    ]);
  });

  it('refuses programs and libraries', () => {
    const bytes = buildElf({ machine: 62, type: 3 });
    expect(checkModule(bytes, 'thing.ko', EXPECTED)).toMatchObject([
      { kind: 'machine', hint: 'Link it with -r.' },
    ]);
  });

  it('throws for what is no object at all', () => {
    expect(() => checkModule(Buffer.from('text'), 'thing.ko', EXPECTED)).toThrow('thing.ko is no ELF file');
  });

  describe('vermagic', () => {
    it('may name another release where the module carries CRCs', () => {
      expect(findings(['vermagic=6.1.9-test', 'vermagic=6.1.7-other'])).toEqual([]);
    });

    it('must name the very release where it carries none', () => {
      const expected = { kernel: kernel('6.1', 'X86_64', 'SMP') };
      const without: [RegExp, string] = [/\.section __versions[^]*?\.text/, '.text'];
      expect(findings(without, expected)).toEqual([]);
      expect(findings(without, { ...expected, vermagic: VERMAGIC.replace('6.1.9', '6.1.8') })).toEqual([
        `error: its vermagic is "${VERMAGIC}", and the kernel wants "${VERMAGIC.replace('6.1.9', '6.1.8')}". It was built for another kernel. Build it again, against the workspace of this kernel.`,
      ]);
    });

    it('must agree behind the release always', () => {
      expect(findings(['preempt mod', 'mod'])).toEqual([expect.stringMatching(/^error: its vermagic is/)]);
      expect(findings([/\.asciz "vermagic=.*"/, ''])).toEqual([
        expect.stringMatching(/^error: its vermagic is ""/),
      ]);
    });
  });

  describe('struct module', () => {
    it('must be there once', () => {
      expect(findings([/\.section \.gnu[^]*?\.section/, '.section'])).toEqual([
        'error: it has 0 sections .gnu.linkonce.this_module, where one is needed. Link the object that its .mod.c compiles to, once.',
      ]);
      const twice = `.section .gnu.linkonce.this_module, "aw", @progbits, unique, 1\n.zero 128\n.text`;
      expect(findings(['.text', twice])).toEqual([expect.stringMatching(/^error: it has 2 sections \.gnu/)]);
    });

    it('must have the size that the kernel has', () => {
      expect(findings(['.zero 56', '.zero 60'])).toEqual([
        expect.stringMatching(/^error: its struct module has 132 bytes, and this kernel's has 128\. /),
      ]);
      expect(findings(['.zero 56', '.zero 60'], { thisModuleSize: undefined })).toEqual([]);
    });

    it('must be loaded', () => {
      expect(findings(['this_module, "aw"', 'this_module, ""'])).toEqual([
        expect.stringMatching(/^error: its \.gnu\.linkonce\.this_module is not loaded/),
      ]);
    });
  });

  it('wants the sections that the loader wants', () => {
    expect(findings(undefined, { sections: ['.text', '.plt'] })).toEqual([
      "error: it has no section .plt, without which this kernel's loader refuses it. Link it with the linker script of the kdir (module.lds).",
    ]);
  });

  it('wants one .modinfo and one symbol table', () => {
    const target = kernel('6.1', 'ARM64');
    expect(armFindings({ sections: [{ name: '.modinfo' }] }, target)).toContain(
      'section: it has 2 .modinfo sections, where one is needed',
    );
    expect(
      armFindings(
        { sections: [{ name: 'more', type: 2, data: Buffer.alloc(0), link: 5, entsize: 24 }] },
        target,
      ),
    ).toContain('symbol-table: it has 2 symbol tables, where one is needed');
  });

  describe('relocations', () => {
    it('that go through a table of addresses are refused, once for all of a kind', () => {
      const access = 'movq _printk@GOTPCREL(%rip), %rax\nmovq _printk@GOTPCREL(%rip), %rdx\nret';
      expect(findings(['ret', access])).toEqual([
        "error: .text has R_X86_64_REX_GOTPCRELX for _printk, which the loader can't do. Compile with the flags of the kernel: -fno-PIE, and -mcmodel=kernel on x86-64.",
      ]);
    });

    it('of what is not loaded do not matter', () => {
      const debug = '.section .debug_info, ""\n.quad _printk@GOTPCREL\n.text';
      expect(findings(['.text', debug])).toEqual([]);
    });

    it.each([
      [257, []],
      [283, []],
      [311, ["relocation: .text has R_AARCH64_ADR_GOT_PAGE for f, which the loader can't do"]],
      [1000, ["relocation: .text has relocation type 1000 for f, which the loader can't do"]],
    ])('of type %p on arm64 give %p', (type, found) => {
      const plan = {
        sections: [{ name: '.text' }],
        symbols: [{ name: 'f', section: '.text' }],
        relocations: [{ section: '.text', type, symbol: 'f' }],
      };
      expect(armFindings(plan, kernel('6.1', 'ARM64'))).toEqual(found);
    });

    it('without addends are refused', () => {
      expect(
        armFindings({ sections: [{ name: '.rel.text', type: 9, flags: 0 }] }, kernel('6.1', 'ARM64')),
      ).toEqual([]);
      const bytes = buildElf({ sections: [{ name: '.text' }, { name: '.rel.text', type: 9, flags: 0 }] });
      // The section that it speaks of: sh_info of the second header.
      const headers = Number(bytes.readBigUInt64LE(40));
      bytes.writeUInt32LE(1, headers + 2 * 64 + 44);
      const expected = { ...EXPECTED, kernel: kernel('6.1', 'ARM64'), exported: undefined };
      expect(checkModule(bytes, 'thing.ko', expected).map(({ text }) => text)).toContain(
        ".rel.text has relocations without addends, which the loader can't do",
      );
    });
  });

  describe('symbols', () => {
    it('must be exported by someone, unless they are weak', () => {
      expect(findings(['call _printk', 'call _printk\ncall nobody'])).toEqual([
        'error: it uses "nobody", which nothing known exports. Load the module that exports it first, or remove the use.',
      ]);
      expect(findings(['call _printk', '.weak nobody\ncall _printk\ncall nobody'])).toEqual([]);
    });

    it('may be anything where it is not known what the kernel exports', () => {
      expect(findings(['call _printk', 'call nobody'], { exported: undefined })).toEqual([]);
    });

    it('must have their place', () => {
      expect(findings(['.text', '.comm shared, 8\n.text'])).toEqual([
        'error: "shared" is a COMMON symbol, which the loader refuses. Compile with -fno-common.',
      ]);
    });
  });

  describe('CRCs', () => {
    it('must be those of the kernel', () => {
      expect(findings(['0x92997ed8', '0x00000001'])).toEqual([
        expect.stringMatching(
          /^error: it was built for another "_printk": CRC 0x00000001, and the kernel has 0x92997ed8/,
        ),
      ]);
      expect(findings(['0x21475b0e', '0x00000001'])).toEqual([
        expect.stringMatching(/^error: it was built for another "module_layout"/),
      ]);
    });

    it('are missed with a warning, as Android takes a module that lacks one', () => {
      expect(findings(['"_printk"', '"_prinkt"'])).toEqual([
        expect.stringMatching(
          /^warning: it carries no CRC for "_printk": Android's kernels take it all the same/,
        ),
      ]);
    });

    it('are read from the extended lists where these are', () => {
      const lists = `.section __version_ext_crcs, "a"\n.long 0x21475b0e, 7
        .section __version_ext_names, "a"\n.asciz "module_layout"\n.asciz "_printk"\n.text`;
      expect(findings(['.text', lists])).toEqual([
        expect.stringMatching(/^error: it was built for another "_printk": CRC 0x00000007/),
      ]);
    });

    it('must be there at all', () => {
      expect(findings([/\.section __versions[^]*?\.text/, '.text'])).toEqual([
        expect.stringMatching(/^error: it carries no CRCs, and this kernel wants them/),
      ]);
    });
  });

  describe('hardening', () => {
    it('wants the hash of kCFI in front of the functions that the kernel calls', () => {
      expect(findings([HASH, ''])).toEqual([
        'error: init_module carries no kCFI hash of its type, and the kernel checks each call by pointer: "Oops - CFI" as soon as the module starts. Compile with -fsanitize=kcfi.',
      ]);
      expect(
        findings([HASH, ''], { kernel: kernel('6.1', 'X86_64', 'X86_KERNEL_IBT', 'MODVERSIONS') }),
      ).toEqual([]);
      const permissive = kernel('6.1', ...OPTIONS, 'CFI_PERMISSIVE');
      expect(findings([HASH, ''], { kernel: permissive })).toEqual([expect.stringMatching(/^warning: /)]);
    });

    it('wants another hash where integers are normalized', () => {
      const normalized = kernel('6.12', ...OPTIONS, 'CFI_ICALL_NORMALIZE_INTEGERS');
      expect(findings(undefined, { kernel: normalized })).toEqual([
        expect.stringMatching(/-fsanitize-cfi-icall-experimental-normalize-integers\.$/),
      ]);
      expect(findings(['0x36b1c5a6', '0x6fbb3035'], { kernel: normalized })).toEqual([]);
    });

    it('wants a landing pad at the functions that the kernel calls', () => {
      expect(findings(['endbr64', ''])).toEqual([
        expect.stringMatching(
          /^error: init_module does not start with a landing pad for IBT.*-fcf-protection=branch\.$/,
        ),
      ]);
      expect(
        findings(['endbr64', ''], { kernel: kernel('6.1', 'X86_64', 'CFI_CLANG', 'MODVERSIONS') }),
      ).toEqual([]);
    });

    it.each([
      [0xd503245f, []],
      [0xd503233f, []],
      [
        0xd503201f,
        [expect.stringMatching(/^branch-target: init_module does not start with a landing pad for BTI/)],
      ],
    ])('on arm64 takes the instruction %p with %p', (instruction, found) => {
      const data = Buffer.alloc(8);
      data.writeUInt32LE(instruction, 4);
      const plan = {
        sections: [{ name: '.init.text', data }],
        symbols: [{ name: 'init_module', section: '.init.text', value: 4 }],
      };
      expect(armFindings(plan, kernel('6.1', 'ARM64', 'ARM64_BTI_KERNEL'))).toEqual(found);
    });

    it.each([
      [8, []],
      [
        12,
        [expect.stringMatching(/^patch-site: 1 function\(s\) do not lie where ftrace can keep a pointer/)],
      ],
    ])(
      'with ftrace’s pointers in front of functions takes one with its own at %p with %p',
      (addend, found) => {
        const plan = {
          sections: [{ name: '.text', data: Buffer.alloc(64) }, { name: '__patchable_function_entries' }],
          symbols: [{ name: 'first', section: '.text', value: 16 }],
          relocations: [
            { section: '__patchable_function_entries', type: 257, symbol: 'first', addend: 0 },
            { section: '__patchable_function_entries', offset: 8, type: 257, symbol: 'first', addend },
          ],
        };
        expect(armFindings(plan, kernel('6.12', 'ARM64', 'DYNAMIC_FTRACE_WITH_CALL_OPS'))).toEqual(found);
        expect(armFindings(plan, kernel('6.1', 'ARM64'))).toEqual([]);
      },
    );

    it('sees static branches that nobody turned into no-operations', () => {
      const table = (code: string) => `ret
        spot: ${code}
        after: ret
        .section __jump_table, "aw"
          .long spot - .
          .long after - .
          .quad key + 2 - .
        .data
        key: .quad 0
        .text`;
      expect(findings(['ret', table('jmp after')])).toEqual([
        expect.stringMatching(/^error: 1 static branch\(es\) are jumps that objtool should have removed/),
      ]);
      expect(findings(['ret', table('.byte 0x66, 0x90')])).toEqual([]);
    });
  });

  it('answers damage with findings or an error of its own', () => {
    const whole = compile(GOOD, { language: 'assembler' });
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(damage, (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          for (const { text } of checkModule(bytes, 'thing.ko', EXPECTED))
            expect(text).not.toMatch(/undefined|NaN/);
        } catch (error) {
          expect(error).toBeInstanceOf(KhError);
          expect(error).toMatchObject({ code: 'BUILD_BAD_OBJECT' });
        }
      }),
      { numRuns: 1500 },
    );
  });
});
