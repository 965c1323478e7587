import { formatModC, type GeneratedPart } from '../../../../src/kbuild/modpost/mod-c';
import { kernel } from './support/kernel';

const part: GeneratedPart = {
  hasInit: true,
  hasExit: true,
  exported: { style: 'ksymtab', list: [] },
  exportCrc: () => 0xabc,
  versions: [
    { name: 'module_layout', crc: 0x21475b0e },
    { name: 'kfree', crc: 0x37a0cba },
  ],
  depends: [],
  aliases: [],
  srcversion: undefined,
};

const text = (version: string, more: Partial<GeneratedPart> = {}, ...options: string[]) =>
  formatModC({ ...part, ...more }, kernel(version, 'MODVERSIONS', ...options));

const oneExport = (style: 'ksymtab' | 'export-symbol', type: number) => ({
  style,
  list: [{ name: 'f', gpl: true, namespace: 'KH', symbol: { type } as never }],
});
const FUNCTION = 2;
const OBJECT = 1;

describe('the generated part', () => {
  it('has the description of the module, with what the module defines', () => {
    expect(text('6.1')).toContain('.init = init_module,');
    expect(text('6.1')).toMatch(/#ifdef CONFIG_MODULE_UNLOAD\n\t\.exit = cleanup_module,\n#endif/);
    const bare = text('6.1', { hasInit: false, hasExit: false });
    expect(bare).not.toMatch(/init_module|cleanup_module/);
    expect(bare).toContain('.arch = MODULE_ARCH_INIT,');
  });

  it('includes what the headers of the kernel have', () => {
    const included = (version: string) =>
      [...text(version).matchAll(/#include <(.*)>/g)].map(([, name]) => name);
    const always = ['linux/module.h', 'linux/vermagic.h', 'linux/compiler.h'];
    expect(included('4.14')).toEqual(always);
    expect(included('5.4')).toEqual(expect.arrayContaining([...always, 'linux/build-salt.h']));
    expect(included('5.10')).not.toContain('linux/elfnote-lto.h');
    expect(included('6.1')).toContain('linux/export-internal.h');
    expect(included('6.12')).toContain('asm/orc_header.h');
  });

  it('says INCLUDE_VERMAGIC before vermagic.h, which insists on it since 5.8', () => {
    const lines = text('5.10').split('\n');
    expect(lines.indexOf('#define INCLUDE_VERMAGIC')).toBeLessThan(
      lines.indexOf('#include <linux/vermagic.h>'),
    );
  });

  it('lists CRCs in hexadecimal, eight digits wide', () => {
    expect(text('6.1')).toMatch(/\{ 0x21475b0e, "module_layout" \},\n\t\{ 0x037a0cba, "kfree" \},\n\};/);
  });

  it('never has an empty list of CRCs, which the kernel would take for none', () => {
    expect(text('6.1', { versions: [] })).toMatch(/section\("__versions"\)\)\) = \{\n\t\{ 0, "" \},\n\};/);
  });

  it('has no list of CRCs for a kernel without them', () => {
    const without = formatModC({ ...part, versions: [], exportCrc: undefined }, kernel('6.1', 'SMP'));
    expect(without).not.toMatch(/version_info|__version_ext/);
  });

  it('has the extended lists of 6.13 as configured, and leaves long names out of the classic one', () => {
    const versions = [...part.versions, { name: 'x'.repeat(60), crc: 5 }];
    const both = text('6.13', { versions }, 'BASIC_MODVERSIONS', 'EXTENDED_MODVERSIONS');
    const [classic = '', extended = ''] = both.split('____version_ext_crcs');
    expect(classic).toContain('"kfree"');
    expect(classic).not.toContain('xxx');
    expect(extended).toContain(`"${'x'.repeat(60)}\\0"`);
    const only = text('6.13', { versions }, 'EXTENDED_MODVERSIONS');
    expect(only).not.toContain('modversion_info');
    expect(text('6.13', {}, 'BASIC_MODVERSIONS')).not.toContain('__version_ext');
  });

  it.each([
    ['5.10', 'ksymtab', ['asm(".globl __crc_f\\n\\t.set __crc_f, 0x00000abc\\n");']],
    ['6.1', 'ksymtab', ['SYMBOL_CRC(f, 0x00000abc, "_gpl");']],
    ['6.6', 'export-symbol', ['KSYMTAB_FUNC(f, "_gpl", "KH");', 'SYMBOL_CRC(f, 0x00000abc, "_gpl");']],
    [
      '7.2',
      'export-symbol',
      ['KSYMTAB_FUNC(f, "KH");', 'SYMBOL_FLAGS(f, 0x01);', 'SYMBOL_CRC(f, 0x00000abc);'],
    ],
  ] as const)('gives exports their CRCs as %s wants them', (version, style, lines) => {
    expect(text(version, { exported: oneExport(style, FUNCTION) }).split('\n')).toEqual(
      expect.arrayContaining([...lines]),
    );
  });

  it('tells variables from functions where it makes the table of exports', () => {
    expect(text('6.6', { exported: oneExport('export-symbol', OBJECT) })).toContain(
      'KSYMTAB_DATA(f, "_gpl", "KH");',
    );
  });

  it('flags an export as one for GPL modules only where it is one', () => {
    const { style, list } = oneExport('export-symbol', FUNCTION);
    const forAll = { style, list: list.map((entry) => ({ ...entry, gpl: false })) };
    expect(text('7.2', { exported: forAll })).toContain('SYMBOL_FLAGS(f, 0x00);');
    expect(text('6.6', { exported: forAll })).not.toContain('SYMBOL_FLAGS');
  });

  it('names dependencies, aliases and the version of the source', () => {
    const lines = text('6.1', { depends: ['a', 'b-c'], aliases: ['spi:x'], srcversion: 'ABC' }).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'MODULE_INFO(depends, "a,b-c");',
        'MODULE_ALIAS("spi:x");',
        'MODULE_INFO(srcversion, "ABC");',
      ]),
    );
    expect(text('6.1')).not.toContain('srcversion');
    expect(text('6.1')).toContain('MODULE_INFO(depends, "");');
  });

  it('lets no name of a device table out of its string', () => {
    const alias = 'of:"); evil("\\\n??/1é';
    const [line] = text('6.1', { aliases: [alias] })
      .split('\n')
      .filter((candidate) => candidate.startsWith('MODULE_ALIAS'));
    expect(line).toBe('MODULE_ALIAS("of:\\042); evil(\\042\\134\\012\\077\\077/1\\351");');
  });
});
