import { fitsClassicTable } from './imports';
import { isFunction, type ModuleExport } from './exports';
import type { KernelTarget } from './kernel-target';

/** The parts of a module that its own source does not hold. */
export interface GeneratedPart {
  hasInit: boolean;
  hasExit: boolean;
  exported: { style: 'ksymtab' | 'export-symbol'; list: ModuleExport[] };
  /** The CRC that each export gets; undefined for a kernel without CRCs. */
  exportCrc: ((name: string) => number) | undefined;
  /** Used symbols with their CRCs, `module_layout` among them. Empty for a kernel without CRCs. */
  versions: { name: string; crc: number }[];
  /** Modules that must be loaded before. */
  depends: string[];
  aliases: string[];
  /** Undefined when not asked for. */
  srcversion: string | undefined;
}

/**
 * The C source that completes a module, for the kernel of the headers it is
 * compiled with. Which form that kernel wants is read from its headers, as
 * vendors move changes between versions: `SYMBOL_CRC` is there since 5.19,
 * `KSYMTAB_FUNC` since 6.5, and in 7.2 `SYMBOL_FLAGS`, with which one table
 * holds the exports for all and those for GPL modules. What 6.12 keeps in a file
 * of its own for all modules (salt, vermagic, ORC header) is in this one: the
 * module is the same.
 *
 * @see scripts/mod/modpost.c of the kernel for the contents: add_header,
 * add_exported_symbols, add_versions, add_extended_versions, add_depends
 */
export function formatModC(part: GeneratedPart, kernel: KernelTarget): string {
  return [
    '/* Made by kh; changes are lost. */',
    ...headerLines(kernel),
    ...thisModule(part),
    ...exportLines(part, kernel),
    ...(kernel.versionTables.basic ? versionLines(part) : []),
    ...(kernel.versionTables.extended ? extendedVersionLines(part) : []),
    '',
    `MODULE_INFO(depends, ${quoted(part.depends.join(','))});`,
    ...part.aliases.map((alias) => `MODULE_ALIAS(${quoted(alias)});`),
    ...(part.srcversion === undefined ? [] : [`MODULE_INFO(srcversion, ${quoted(part.srcversion)});`]),
    '',
  ].join('\n');
}

function headerLines({ hasHeader }: KernelTarget): string[] {
  const has = {
    salt: hasHeader('include/linux/build-salt.h'),
    lto: hasHeader('include/linux/elfnote-lto.h'),
    internal: hasHeader('include/linux/export-internal.h'),
    orc: hasHeader('arch/x86/include/asm/orc_header.h'),
  };
  return [
    '#include <linux/module.h>',
    '#define INCLUDE_VERMAGIC',
    ...(has.salt ? ['#include <linux/build-salt.h>'] : []),
    ...(has.lto ? ['#include <linux/elfnote-lto.h>'] : []),
    ...(has.internal ? ['#include <linux/export-internal.h>'] : []),
    '#include <linux/vermagic.h>',
    '#include <linux/compiler.h>',
    '',
    ...(has.orc
      ? ['#ifdef CONFIG_UNWINDER_ORC', '#include <asm/orc_header.h>', 'ORC_HEADER;', '#endif']
      : []),
    ...(has.salt ? ['BUILD_SALT;'] : []),
    ...(has.lto ? ['BUILD_LTO_INFO;'] : []),
    '',
    'MODULE_INFO(vermagic, VERMAGIC_STRING);',
    'MODULE_INFO(name, KBUILD_MODNAME);',
    '#if defined(CONFIG_RETPOLINE) || defined(CONFIG_MITIGATION_RETPOLINE)',
    'MODULE_INFO(retpoline, "Y");',
    '#endif',
  ];
}

/** The attribute is spelt out, as `__section` took other arguments before 5.10. */
function thisModule({ hasInit, hasExit }: GeneratedPart): string[] {
  return [
    '',
    '__visible struct module __this_module',
    '__attribute__((section(".gnu.linkonce.this_module"))) = {',
    '\t.name = KBUILD_MODNAME,',
    ...(hasInit ? ['\t.init = init_module,'] : []),
    ...(hasExit ? ['#ifdef CONFIG_MODULE_UNLOAD', '\t.exit = cleanup_module,', '#endif'] : []),
    '\t.arch = MODULE_ARCH_INIT,',
    '};',
  ];
}

/**
 * Since 6.5 the whole table comes from here, since 5.19 its CRCs; before, the
 * object leaves a weak `__crc_X` open, which an absolute symbol fills.
 */
function exportLines({ exported, exportCrc }: GeneratedPart, { headerText }: KernelTarget): string[] {
  if (exported.list.length === 0) return [];
  const macros = headerText('include/linux/export-internal.h');
  const hasFlags = macros.includes('SYMBOL_FLAGS');
  const lines = [''];
  for (const entry of exported.list) {
    const { name, gpl, namespace } = entry;
    const licence = hasFlags ? [] : [gpl ? '"_gpl"' : '""'];
    if (exported.style === 'export-symbol') {
      const macro = `KSYMTAB_${isFunction(entry) ? 'FUNC' : 'DATA'}`;
      lines.push(call(macro, name, ...licence, quoted(namespace)));
    }
    if (hasFlags) lines.push(call('SYMBOL_FLAGS', name, gpl ? '0x01' : '0x00'));
    if (exportCrc === undefined) continue;
    const crc = hexadecimal(exportCrc(name));
    if (macros === '') lines.push(`asm(".globl __crc_${name}\\n\\t.set __crc_${name}, ${crc}\\n");`);
    else lines.push(call('SYMBOL_CRC', name, crc, ...licence));
  }
  return lines;
}

function call(macro: string, ...args: string[]): string {
  return `${macro}(${args.join(', ')});`;
}

/** Never empty: a kernel with CRCs takes a module without this section only by force. */
function versionLines({ versions }: GeneratedPart): string[] {
  const entries = versions.filter(({ name }) => fitsClassicTable(name));
  return [
    '',
    'static const struct modversion_info ____versions[]',
    '__attribute__((used, section("__versions"))) = {',
    ...(entries.length === 0 ? ['\t{ 0, "" },'] : []),
    ...entries.map(({ name, crc }) => `\t{ ${hexadecimal(crc)}, ${quoted(name)} },`),
    '};',
  ];
}

function extendedVersionLines({ versions }: GeneratedPart): string[] {
  const entries = versions.length === 0 ? [{ name: '', crc: 0 }] : versions;
  return [
    '',
    'static const u32 ____version_ext_crcs[]',
    '__attribute__((used, section("__version_ext_crcs"))) = {',
    ...entries.map(({ crc }) => `\t${hexadecimal(crc)},`),
    '};',
    'static const char ____version_ext_names[]',
    '__attribute__((used, section("__version_ext_names"))) =',
    ...entries.map(({ name }) => `\t${quoted(name, '\\0')}`),
    ';',
  ];
}

function hexadecimal(crc: number): string {
  return `0x${crc.toString(16).padStart(8, '0')}`;
}

/** A C string; what is not plain ASCII is written in octal, which can't swallow the character after it. */
function quoted(text: string, end = ''): string {
  const plain = Buffer.from(text, 'latin1').reduce(
    (escaped, byte) => escaped + (isPlain(byte) ? String.fromCharCode(byte) : octal(byte)),
    '',
  );
  return `"${plain}${end}"`;
}

/** Neither quote, backslash nor question mark (trigraphs). */
function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c && byte !== 0x3f;
}

function octal(byte: number): string {
  return `\\${byte.toString(8).padStart(3, '0')}`;
}
