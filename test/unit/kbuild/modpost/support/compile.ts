import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readModuleObject, type ModuleObject } from '../../../../../src/kbuild/modpost/module-object';
import { isInstalled } from '../../../../support/installed';

/** A compiler for the code of one processor. */
export interface Compiler {
  name: string;
  command: string;
  flags: string[];
}

const KERNEL_LIKE = [
  '-O1',
  '-ffreestanding',
  '-fno-pic',
  '-fno-common',
  '-fno-asynchronous-unwind-tables',
  '-w',
];

/** gcc for x86-64 is on every machine that develops kh. */
export const gcc: Compiler = {
  name: 'gcc for x86-64',
  command: 'gcc',
  flags: [...KERNEL_LIKE, '-mcmodel=kernel', '-fcf-protection=branch'],
};

const clang: Compiler = {
  name: 'clang for arm64',
  command: 'clang-16',
  flags: [...KERNEL_LIKE, '--target=aarch64-linux-gnu', '-fno-pie'],
};

/** All that this machine has. */
export function compilers(): Compiler[] {
  return [gcc, clang].filter(({ command }) => isInstalled(command));
}

/** Compiles C, or assembler with `language: 'assembler'`, into an object. */
export function compile(
  source: string,
  { compiler = gcc, language = 'c', flags = [] as string[] } = {},
): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'kh-compile-'));
  try {
    const output = join(folder, 'out.o');
    const input = join(folder, language === 'c' ? 'in.c' : 'in.s');
    writeFileSync(input, source);
    execFileSync(compiler.command, [...compiler.flags, ...flags, '-c', '-o', output, input], {
      stdio: 'pipe',
    });
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Stand-ins for what a module's source has from the kernel's headers, in front of every source here. */
const HEADERS = `
#define SECTION(name) __attribute__((section(name), used))
#define GLUE2(a, b) a##b
#define GLUE(a, b) GLUE2(a, b)
#define TAG(text) static const char GLUE(tag, __COUNTER__)[] SECTION(".modinfo") = text;
#define __init SECTION(".init.text")
#define __initdata SECTION(".init.data")
#define __exit SECTION(".exit.text")
#define __ref SECTION(".ref.text")
/* As until 6.4: the object has the table's entry itself. */
#define EXPORT_IN(sym, sec, ns) \\
  asm(".section \\"__ksymtab_strings\\",\\"aMS\\",%progbits,1\\n__kstrtab_" #sym ": .asciz \\"" #sym "\\"\\n" \\
      "__kstrtabns_" #sym ": .asciz \\"" ns "\\"\\n.previous\\n" \\
      ".section \\"___ksymtab" sec "+" #sym "\\",\\"a\\"\\n.balign 4\\n__ksymtab_" #sym ": .long " #sym " - ., 0, 0\\n.previous\\n");
/* As since 6.5: modpost makes the entry. */
#define EXPORT_NEW(sym, licence, ns) \\
  asm(".section \\".export_symbol\\",\\"a\\"\\n__export_symbol_" #sym ": .asciz \\"" licence "\\"\\n.asciz \\"" ns "\\"\\n" \\
      ".balign 8\\n.quad " #sym "\\n.previous\\n");
`;

/** A good module's own words. */
export const GOOD = 'TAG("license=GPL") TAG("description=a module")\n';

/** Compiles the source of a module called `name` and reads it as modpost does. */
export function moduleOf(
  source: string,
  { compiler = gcc, name = 'thing', flags = [] as string[] } = {},
): ModuleObject {
  return readModuleObject(objectOf(source, { compiler, flags }), `build/${name}.o`);
}

export function objectOf(source: string, { compiler = gcc, flags = [] as string[] } = {}): Buffer {
  return compile(HEADERS + source, { compiler, flags });
}
