import type { Diagnostic } from '../../../../src/kbuild/modpost/diagnostic';
import {
  checkGplOnly,
  checkLongNames,
  checkNamespaces,
  checkUndefined,
  checkUnknownCrcs,
  resolveImports,
} from '../../../../src/kbuild/modpost/imports';
import type { SymversEntry } from '../../../../src/kbuild/symvers/symvers-file';
import { compilers, GOOD, moduleOf } from './support/compile';
import { exported } from './support/kernel';

const tableOf = (...entries: SymversEntry[]) => new Map(entries.map((entry) => [entry.name, entry]));
const texts = (diagnostics: Diagnostic[]) => diagnostics.map(({ severity, text }) => `${severity}: ${text}`);
const strict = { severity: 'error', kernelSymbols: () => new Map<string, string>() } as const;

describe.each(compilers())('an undefined symbol, in an object of $name', (compiler) => {
  const source = `${GOOD} int printkk(const char *); int run(void) { return printkk("hello"); }`;

  it('is named with the function that uses it and with names that are near', () => {
    const table = tableOf(exported('printk'), exported('vprintk'), exported('kfree'));
    expect(texts(checkUndefined(moduleOf(source, { compiler }), table, strict))).toEqual([
      'error: undefined symbol "printkk", which run() uses: neither the kernel nor a module of KBUILD_EXTRA_SYMBOLS exports it. Did you mean "printk" or "vprintk"?',
    ]);
  });

  it('is known to be in the kernel, but not for modules, when the list of all symbols is at hand', () => {
    const kernelSymbols = () => new Map([['printkk', 'vmlinux']]);
    const found = checkUndefined(moduleOf(source, { compiler }), tableOf(), { ...strict, kernelSymbols });
    expect(found[0]!.text).toMatch(/: the kernel has it, but does not export it to modules$/);
    const inModule = { ...strict, kernelSymbols: () => new Map([['printkk', 'foo']]) };
    expect(checkUndefined(moduleOf(source, { compiler }), tableOf(), inModule)[0]!.text).toMatch(
      /: module foo has it, but does not export it to modules$/,
    );
  });

  it('is a warning where only warnings are asked for', () => {
    const found = checkUndefined(moduleOf(source, { compiler }), tableOf(), {
      ...strict,
      severity: 'warning',
    });
    expect(found).toMatchObject([{ severity: 'warning', kind: 'undefined-symbol' }]);
  });

  it('does not matter when it is weak, or one that the build itself provides', () => {
    const weak = `${GOOD} extern int maybe(void) __attribute__((weak)); extern char __this_module[];
      int run(void) { return maybe ? maybe() : __this_module[0]; }`;
    expect(checkUndefined(moduleOf(weak, { compiler }), tableOf(), strict)).toEqual([]);
  });
});

describe('the use of an undefined symbol', () => {
  it("is told by the function's own name where it has another too, such as init_module", () => {
    const start = `${GOOD} int nope(void); static int my_start(void) { return nope(); }
      int init_module(void) __attribute__((alias("my_start")));`;
    const [found] = checkUndefined(moduleOf(start), tableOf(), strict);
    expect(found!.text).toMatch(/^undefined symbol "nope", which my_start\(\) uses: /);
  });
});

describe('resolveImports', () => {
  it('finds weak symbols too, when someone exports them', () => {
    const module = moduleOf(
      'extern int maybe(void) __attribute__((weak)); int run(void) { return maybe(); }',
    );
    const entry = exported('maybe');
    expect(resolveImports(module, tableOf(entry)).map((found) => found.entry)).toEqual([entry]);
  });
});

describe('a GPL-only symbol', () => {
  const use = 'void secret(void); void run(void) { secret(); }';
  const table = tableOf(exported('secret', { gpl: true }));
  const check = (module: ReturnType<typeof moduleOf>) => checkGplOnly(module, resolveImports(module, table));

  it('is refused to a module with another licence, which is named', () => {
    expect(texts(check(moduleOf(`TAG("license=Proprietary") ${use}`)))).toEqual([
      'error: "secret" is only for modules with a GPL-compatible licence, and this one\'s is "Proprietary"',
    ]);
  });

  it('is open to a module under the GPL', () => {
    expect(check(moduleOf(`TAG("license=GPL v2") ${use}`))).toEqual([]);
  });
});

describe('a symbol in a namespace', () => {
  const use = 'void a(void); void b(void); void run(void) { a(); b(); }';
  const table = tableOf(exported('a', { namespace: 'KH' }), exported('b', { namespace: 'KH' }));
  const check = (source: string, { allowed = false, quoted = false, known = table, name = 'thing' } = {}) => {
    const module = moduleOf(source, { name });
    return texts(checkNamespaces(module, resolveImports(module, known), { allowed, quoted }));
  };

  it('needs the import of the namespace, which is asked for once', () => {
    expect(check(use)).toEqual([
      'error: the module uses "a", "b" from namespace KH without importing it: add MODULE_IMPORT_NS(KH);',
    ]);
    expect(check(`TAG("import_ns=KH") ${use}`)).toEqual([]);
    expect(check(`TAG("import_ns=OTHER") ${use}`)).toHaveLength(1);
  });

  it('gets a hint in the form that the kernel version wants', () => {
    expect(check(use, { quoted: true })[0]).toMatch(/add MODULE_IMPORT_NS\("KH"\);$/);
  });

  it('only deserves a warning where the kernel does not insist', () => {
    expect(check(use, { allowed: true })[0]).toMatch(/^warning: /);
  });

  it('that names its users is for those alone, by name or pattern', () => {
    const known = tableOf(exported('a', { namespace: 'module:first-one,kh_*' }), exported('b'));
    expect(check(use, { known, allowed: true })).toEqual([
      'error: the module uses "a", which only the module(s) first-one,kh_* may',
    ]);
    expect(check(use, { known, name: 'first_one' })).toEqual([]);
    expect(check(use, { known, name: 'kh-thing' })).toEqual([]);
  });
});

describe('the name of a used symbol', () => {
  it('has to fit the table of CRCs: 55 characters do, 56 do not', () => {
    const [fits, long] = ['f'.repeat(55), 'l'.repeat(56)];
    const module = moduleOf(
      `void ${fits}(void); void ${long}(void); void run(void) { ${fits}(); ${long}(); }`,
    );
    const found = checkLongNames(module, resolveImports(module, tableOf(exported(fits), exported(long))));
    expect(texts(found)).toEqual([
      `error: "${long}" has 56 characters, where this kernel takes at most 55: its exporter has to shorten it`,
    ]);
  });
});

describe('CRCs that are not known', () => {
  it('are told in one line, with the first few names', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const uses = names.map((name) => `${name}();`).join(' ');
    const module = moduleOf(
      `${names.map((name) => `void ${name}(void);`).join('')} void run(void) { ${uses} }`,
    );
    const table = tableOf(...names.map((name) => exported(name, { crc: name === 'a' ? 1 : undefined })));
    expect(texts(checkUnknownCrcs(module, resolveImports(module, table)))).toEqual([
      "warning: the CRC of 5 used symbol(s) is not known (b, c, d, e, f): Android's kernels take the module all the same, Debian's do not",
    ]);
  });
});
