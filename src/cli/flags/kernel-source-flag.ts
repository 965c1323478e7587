import * as Flags from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';

/** Building with a kernel's own build in place of kh's. */
export const kernelSourceFlag = {
  'kernel-source': Flags.string({
    summary: "The kernel's full source: its own build is used, with the device's headers and options.",
    description:
      'Of the version that runs; a device of another sublevel is warned of. Prepared once in the workspace, and never written to. "packed" takes the build files that `kh import --from-pack` brought.',
    helpValue: 'DIR|packed',
  }),
};

/** What the flag says, as use cases take it. */
export function kernelSource(flags: InferredFlags<typeof kernelSourceFlag>): { kernelSource?: string } {
  const folder = flags['kernel-source'];
  return folder === undefined ? {} : { kernelSource: folder };
}
