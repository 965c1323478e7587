import * as Flags from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';
import type { BuildOptions } from '../../app/build-module';

const HELP = 'TOOLCHAIN';

/** Which compiler builds; without any of these, kh finds one that fits the kernel. */
export const toolchainFlags = {
  cc: Flags.string({
    summary: 'The compiler; a wrapper may stand in front.',
    helpValue: 'CMD',
    helpGroup: HELP,
  }),
  llvm: Flags.string({
    summary: "LLVM's tools, as the kernel's build takes them: 1, a suffix such as -16, or a folder/.",
    helpValue: 'LLVM',
    helpGroup: HELP,
  }),
  'cross-compile': Flags.string({
    summary: "Prefix of gcc's tools, such as aarch64-linux-gnu-.",
    helpValue: 'PREFIX',
    helpGroup: HELP,
  }),
};

/** What the flags ask for. */
export function toolchainChoice(flags: InferredFlags<typeof toolchainFlags>): BuildOptions['toolchain'] {
  return { cc: flags.cc, llvm: flags.llvm, crossCompile: flags['cross-compile'] };
}
