import { join } from 'node:path';
import * as Flags from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';
import type { BuildAndLoadOptions } from '../../app/build-and-load';

/** What becomes of a build. */
export const buildFlags = {
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

/** What the flags ask for. */
export function buildOptions(
  source: string,
  flags: InferredFlags<typeof buildFlags>,
): Pick<BuildAndLoadOptions, 'load' | 'outputPath' | 'compileCommandsPath'> {
  const { load, output } = flags;
  const inSource = flags['compile-commands'] ? join(source, 'compile_commands.json') : undefined;
  const list = flags['compile-commands-file'] ?? inSource;
  return {
    load,
    ...(output === undefined ? {} : { outputPath: output }),
    ...(list === undefined ? {} : { compileCommandsPath: list }),
  };
}
