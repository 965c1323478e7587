import fc from 'fast-check';
import {
  DIAGNOSTIC_LIMITS,
  diagnosticParser,
  parseDiagnostic,
  type BuildDiagnostic,
} from '../../../src/kbuild/build-diagnostics';

function parse(...pieces: string[]): BuildDiagnostic[] {
  const found: BuildDiagnostic[] = [];
  const parser = diagnosticParser(found);
  for (const piece of pieces) parser.add(piece);
  parser.end();
  return found;
}

describe('parseDiagnostic', () => {
  it.each<[string, string, BuildDiagnostic]>([
    [
      'an error of clang',
      "/src/a.c:2:28: error: use of undeclared identifier 'y'",
      { file: '/src/a.c', line: 2, column: 28, severity: 'error', text: "use of undeclared identifier 'y'" },
    ],
    [
      'a warning of gcc, with its option',
      'sub/a.c:2:18: warning: unused variable ‘x’ [-Wunused-variable]',
      {
        file: 'sub/a.c',
        line: 2,
        column: 18,
        severity: 'warning',
        text: 'unused variable ‘x’ [-Wunused-variable]',
      },
    ],
    [
      'a header that is not there',
      "a.c:1:10: fatal error: 'no.h' file not found",
      { file: 'a.c', line: 1, column: 10, severity: 'error', text: "'no.h' file not found" },
    ],
    [
      'a note',
      'a.c:3:6: note: previous declaration is here',
      { file: 'a.c', line: 3, column: 6, severity: 'note', text: 'previous declaration is here' },
    ],
    [
      'what #warning says, whatever that is',
      'a.c:5:2: warning: hello: error: x [-W#warnings]',
      { file: 'a.c', line: 5, column: 2, severity: 'warning', text: 'hello: error: x [-W#warnings]' },
    ],
    [
      'a file with a colon in its name',
      'odd:1:name.c:7:1: error: x',
      { file: 'odd:1:name.c', line: 7, column: 1, severity: 'error', text: 'x' },
    ],
    [
      'the GNU assembler',
      "b.S:1: Error: no such instruction: `bogus'",
      { file: 'b.S', line: 1, severity: 'error', text: "no such instruction: `bogus'" },
    ],
    [
      'modpost of kh',
      '/out/x.o: error: undefined symbol "foo", which f() uses: nothing exports it',
      {
        file: '/out/x.o',
        severity: 'error',
        text: 'undefined symbol "foo", which f() uses: nothing exports it',
      },
    ],
    [
      "the kernel's own modpost",
      'ERROR: modpost: "foo" [/src/x.ko] undefined!',
      { severity: 'error', text: '"foo" [/src/x.ko] undefined!' },
    ],
    [
      'a driver',
      "clang-16: error: unsupported option '--bogus'",
      { severity: 'error', text: "unsupported option '--bogus'" },
    ],
    ['LLD', 'ld.lld-16: error: duplicate symbol: z', { severity: 'error', text: 'duplicate symbol: z' }],
    [
      'GNU ld, which names no severity',
      'aarch64-linux-gnu-ld: cannot find nope.o: No such file or directory',
      { severity: 'error', text: 'cannot find nope.o: No such file or directory' },
    ],
    [
      'a Makefile that make cannot read',
      '/src/Makefile:3: *** missing separator.  Stop.',
      { file: '/src/Makefile', line: 3, severity: 'error', text: 'missing separator.  Stop.' },
    ],
    [
      'a missing source',
      "make[1]: *** No rule to make target '/out/a.o', needed by 'kh_objects'.  Stop.",
      { severity: 'error', text: "No rule to make target '/out/a.o', needed by 'kh_objects'.  Stop." },
    ],
    [
      'the rule that failed',
      'make[2]: *** [kh/folder.mk:206: /out/a.o] Error 1',
      { file: 'kh/folder.mk', line: 206, severity: 'error', text: '/out/a.o: Error 1' },
    ],
    [
      '$(warning) of make',
      '/src/Kbuild:2: careful',
      { file: '/src/Kbuild', line: 2, severity: 'warning', text: 'careful' },
    ],
    [
      'text in colours, as -fdiagnostics-color has it',
      '\u001b[1ma.c:2:28: \u001b[0m\u001b[0;1;31merror: \u001b[0mx',
      { file: 'a.c', line: 2, column: 28, severity: 'error', text: 'x' },
    ],
  ])('reads %s', (_, line, expected) => {
    expect(parseDiagnostic(line)).toEqual(expected);
  });

  it.each([
    '  CC [M]  hello.o',
    'In file included from a.c:1:',
    './h.h: In function ‘unused’:',
    '    2 | int f(void){ puts("a: error: b"); }',
    '      |                            ^',
    'b.S: Assembler messages:',
    '3 warnings and 3 errors generated.',
    "make: Entering directory '/kdir'",
    '>>> defined at z.c',
    '',
  ])('takes %j for none', (line) => {
    expect(parseDiagnostic(line)).toBeUndefined();
  });
});

describe('diagnosticParser', () => {
  it('gives a warning and its notes as entries of their own, in their order', () => {
    const text = 'a.c:1:1: warning: w\nint x;\n    ^\na.c:2:2: note: n\nb.c:3:3: error: e';
    expect(parse(text).map(({ severity }) => severity)).toEqual(['warning', 'note', 'error']);
  });

  it('finds the same in whatever pieces the output comes', () => {
    const text = 'a.c:1:1: warning: w\n  CC [M]  x.o\nmake: *** [m.mk:2: all] Error 1\nld: bad\n';
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), (cuts) => {
        const places = [0, ...cuts.sort((one, other) => one - other), text.length];
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
        expect(parse(...pieces)).toEqual(parse(text));
      }),
    );
  });

  it('bears any text, and keeps to its limits', () => {
    const part = fc.constantFrom(
      ':',
      ': ',
      'error: ',
      '1',
      '*** ',
      '\n',
      '\u001b[',
      'a/b.c',
      'ld',
      'make[',
      ']',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(part, fc.string({ unit: 'binary' })), { maxLength: 200 }), (pieces) => {
        for (const { file, line, column, text } of parse(...pieces)) {
          expect(text.length).toBeLessThanOrEqual(DIAGNOSTIC_LIMITS.lineLength);
          expect(file).not.toBe('');
          for (const number of [line, column]) expect(number ?? 0).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it('keeps a bounded number of entries, and the start of a line without end', () => {
    expect(parse('a.c:1:1: error: x\n'.repeat(5_000))).toHaveLength(DIAGNOSTIC_LIMITS.entries);
    const long = parse('a.c:1:1: error: ', ...Array.from({ length: 100 }, () => 'x'.repeat(10_000)));
    expect(long).toHaveLength(1);
    expect(long[0]?.text.length).toBeLessThan(DIAGNOSTIC_LIMITS.lineLength);
  });
});
