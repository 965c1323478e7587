import type { Compiler } from '../flags/flag-plan';

/** A program of this machine, as its words on a command line: a wrapper such as ccache may be the first. */
export type ToolCommand = readonly string[];

/** What modules are compiled and linked with. */
export interface Toolchain {
  compiler: Compiler & {
    command: ToolCommand;
    /** The first line of `--version`. */
    text: string;
  };
  linker: { command: ToolCommand; text: string };
  /** Where the search found it. */
  origin: 'flags' | 'environment' | 'ndk' | 'path';
  /** What differs from the kernel's own compiler and is harmless, in sentences. */
  notes: string[];
}

/** `16.0.6` for 160006. */
export function versionText(version: number): string {
  return [Math.floor(version / 10_000), Math.floor(version / 100) % 100, version % 100].join('.');
}

/** `16` for 160006. */
export function majorVersion(version: number): number {
  return Math.floor(version / 10_000);
}

/** The tool of that name which goes with the compiler: `nm` is `llvm-nm-16` beside `clang-16`. */
export function binaryTool({ compiler }: Toolchain, name: string): string {
  const program = compiler.command.at(-1) ?? '';
  if (compiler.kind === 'clang') {
    const [, folder = '', suffix = ''] = /^(.*\/)?clang(-\d+)?$/.exec(program) ?? [];
    return `${folder}llvm-${name}${suffix}`;
  }
  return `${/^(.*?)gcc(?:-\d+)?$/.exec(program)?.[1] ?? ''}${name}`;
}
