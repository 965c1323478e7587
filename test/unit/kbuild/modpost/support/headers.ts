import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Stand-ins for the few headers that a module's generated part includes: each
 * macro does as much as makes the same sections and symbols.
 */
const STAND_INS: Record<string, string> = {
  'linux/module.h': `
    #define GLUE2(a, b) a##b
    #define GLUE(a, b) GLUE2(a, b)
    #define __visible __attribute__((externally_visible))
    #define MODULE_ARCH_INIT { 7 }
    #define MODULE_INFO(tag, text) \\
      static const char GLUE(info, __COUNTER__)[] __attribute__((section(".modinfo"), used)) = #tag "=" text
    #define MODULE_ALIAS(text) MODULE_INFO(alias, text)
    typedef unsigned int u32;
    struct module { char name[56]; int (*init)(void); void (*exit)(void); struct { int x; } arch; };
    struct modversion_info { unsigned long crc; char name[56]; };
    int init_module(void);
    void cleanup_module(void);`,
  'linux/vermagic.h': `
    #ifndef INCLUDE_VERMAGIC
    #error "vermagic.h is for those who say so"
    #endif
    #include <generated/utsrelease.h>
    #define VERMAGIC_STRING UTS_RELEASE " SMP mod_unload modversions "`,
  'linux/compiler.h': '',
};

const SINCE: [version: number, name: string, text: string][] = [
  [4019, 'linux/build-salt.h', '#define BUILD_SALT static const int build_salt __attribute__((used)) = 1'],
  [5012, 'linux/elfnote-lto.h', '#define BUILD_LTO_INFO static const int lto_info __attribute__((used)) = 2'],
  [
    5019,
    'linux/export-internal.h',
    `
    #define SYMBOL_CRC(sym, crc, sec) \\
      asm(".section \\"___kcrctab" sec "+" #sym "\\",\\"a\\"\\n__crc_" #sym ": .long " #crc "\\n.previous");
    #define ENTRY(sym, sec, ns) \\
      asm(".section \\"__ksymtab_strings\\",\\"aMS\\",%progbits,1\\n__kstrtab_" #sym ": .asciz \\"" #sym "\\"\\n" \\
          "__kstrtabns_" #sym ": .asciz \\"" ns "\\"\\n.previous\\n" \\
          ".section \\"___ksymtab" sec "+" #sym "\\",\\"a\\"\\n__ksymtab_" #sym ": .long " #sym "-., 0, 0\\n.previous");`,
  ],
  [6005, 'linux/export-internal.h', '#define KSYMTAB_FUNC ENTRY\n#define KSYMTAB_DATA ENTRY'],
];

/** Makes a headers tree of a small x86-64 kernel; options are those of its configuration that are on. */
export function makeHeaders(folder: string, version: string, options: string[] = []): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const files = new Map(Object.entries(STAND_INS));
  for (const [since, name, text] of SINCE) {
    if (since <= 1000 * major + minor) files.set(name, `${files.get(name) ?? ''}\n${text}\n`);
  }
  const on = ['MODULES', 'X86_64', 'SMP', 'MODULE_UNLOAD', 'MODVERSIONS', ...options];
  files.set('generated/autoconf.h', on.map((name) => `#define CONFIG_${name} 1\n`).join(''));
  files.set('generated/utsrelease.h', `#define UTS_RELEASE "${version}.9-test"\n`);
  files.set(
    'generated/uapi/linux/version.h',
    `#define LINUX_VERSION_CODE ${major * 65536 + minor * 256 + 9}\n`,
  );
  for (const [name, text] of files) {
    const path = join(folder, 'include', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** What compiles a generated part with these headers. */
export function generatedPartFlags(headers: string, name: string): string[] {
  return [
    `-I${headers}/include`,
    `-include${headers}/include/generated/autoconf.h`,
    `-DKBUILD_MODNAME="${name.replaceAll('-', '_')}"`,
  ];
}
