import { join } from 'node:path';
import * as Flags from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';
import type { BuildAndLoadOptions } from '../../app/build-and-load';
import { kernelSource, kernelSourceFlag } from './kernel-source-flag';
import { pullFlags, pullOptions } from './pull-flags';
import { symversFlags, symversOptions } from './symvers-flags';
import { toolchainChoice, toolchainFlags } from './toolchain-flags';

/** What a build is made with, and what becomes of it. */
export const buildFlags = {
  ...pullFlags,
  ...symversFlags,
  ...toolchainFlags,
  ...kernelSourceFlag,
  output: Flags.string({ char: 'o', summary: 'Folder to copy the finished modules to.', helpValue: 'DIR' }),
  load: Flags.boolean({ summary: 'Load them on the device, and show what the kernel says.' }),
  'compile-commands': Flags.boolean({
    summary: 'Write compile_commands.json into DIR, for clangd and other tools.',
    exclusive: ['kernel-source'],
  }),
  'compile-commands-file': Flags.string({
    summary: 'As --compile-commands, into this file.',
    exclusive: ['kernel-source'],
    helpValue: 'FILE',
  }),
};

/** What the command line asks for. */
export function buildOptions(
  { source, words = [] }: { source: string; words?: string[] | undefined },
  flags: InferredFlags<typeof buildFlags>,
): BuildAndLoadOptions {
  const { load, output } = flags;
  const inSource = flags['compile-commands'] ? join(source, 'compile_commands.json') : undefined;
  const list = flags['compile-commands-file'] ?? inSource;
  return {
    source,
    load,
    makeWords: words,
    pull: pullOptions(flags),
    symvers: symversOptions(flags, flags.force),
    toolchain: toolchainChoice(flags),
    ...kernelSource(flags),
    ...(output === undefined ? {} : { outputPath: output }),
    ...(list === undefined ? {} : { compileCommandsPath: list }),
  };
}
