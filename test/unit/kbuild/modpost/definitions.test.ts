import { checkCommon, checkExports, checkTrimmed } from '../../../../src/kbuild/modpost/definitions';
import type { Diagnostic } from '../../../../src/kbuild/modpost/diagnostic';
import { readExports } from '../../../../src/kbuild/modpost/exports';
import { compilers, moduleOf } from './support/compile';

const texts = (diagnostics: Diagnostic[]) => diagnostics.map(({ severity, text }) => `${severity}: ${text}`);

describe('COMMON symbols', () => {
  it('are refused by name, with the flag that prevents them', () => {
    expect(texts(checkCommon(moduleOf('int shared; int own = 1;', { flags: ['-fcommon'] })))).toEqual([
      'error: "shared" is a COMMON symbol, which the kernel refuses: compile with -fno-common, or give it a value where it is defined',
    ]);
  });
});

describe.each(compilers())('exports, in an object of $name', (compiler) => {
  it('are read from the table of kernels until 6.4: licence and namespace', () => {
    const source = `int f(void) { return 1; } int v = 3; EXPORT_IN(f, "_gpl", "KH") EXPORT_IN(v, "", "")`;
    const { exported } = moduleOf(source, { compiler });
    expect(exported).toMatchObject({ style: 'ksymtab', trimmed: [] });
    expect(exported.list.map(({ symbol, ...rest }) => ({ ...rest, home: symbol?.section?.name }))).toEqual([
      { name: 'f', gpl: true, namespace: 'KH', home: '.text' },
      { name: 'v', gpl: false, namespace: '', home: '.data' },
    ]);
  });

  it('are read from what 6.5 and later leave to modpost', () => {
    const source = `int f(void) { return 1; } int v = 3; EXPORT_NEW(f, "GPL", "KH") EXPORT_NEW(v, "", "")`;
    const { exported } = moduleOf(source, { compiler });
    expect(exported.style).toBe('export-symbol');
    expect(exported.list.map(({ symbol, ...rest }) => ({ ...rest, home: symbol?.section?.name }))).toEqual([
      { name: 'f', gpl: true, namespace: 'KH', home: '.text' },
      { name: 'v', gpl: false, namespace: '', home: '.data' },
    ]);
  });

  it('of what is freed after the start are refused', () => {
    const source = `int __init f(void) { return 1; } EXPORT_NEW(f, "", "")`;
    expect(texts(checkExports(moduleOf(source, { compiler })))).toEqual([
      'error: "f" is exported, but in .init.text, which is freed: remove its __init or __exit, or the EXPORT_SYMBOL',
    ]);
  });

  it('of static functions are an error since 6.5, and a warning before', () => {
    const source = 'static __attribute__((used, noinline)) int f(void) { return 1; }';
    const later = moduleOf(`${source} EXPORT_NEW(f, "", "")`, { compiler });
    const before = moduleOf(`${source} EXPORT_IN(f, "", "")`, { compiler });
    expect(texts(checkExports(later))).toEqual([
      'error: "f" is exported, but static: remove the static, or the EXPORT_SYMBOL',
    ]);
    expect(checkExports(before)).toMatchObject([{ severity: 'warning', kind: 'bad-export' }]);
  });

  it('of what is only declared are refused', () => {
    expect(texts(checkExports(moduleOf('EXPORT_NEW(f, "", "")', { compiler })))).toEqual([
      'error: "f" is exported, but the module does not define it',
    ]);
  });

  it('that the headers of a trimmed kernel dropped are told', () => {
    const source = `static int __ksym_marker_f[0] SECTION(".discard.ksym"); int f(void) { return 1; }`;
    expect(texts(checkTrimmed(moduleOf(source, { compiler })))).toEqual([
      'warning: "f" will not be exported: this kernel has CONFIG_TRIM_UNUSED_KSYMS, and its headers drop every EXPORT_SYMBOL that is not on its list',
    ]);
    const kept = moduleOf(`${source} EXPORT_IN(f, "", "")`, { compiler });
    expect(readExports(kept.elf).trimmed).toEqual([]);
  });
});
