import * as Flags from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';
import type { SymversOptions } from '../../app/recover-symvers';

const HELP = 'EXPORTED SYMBOLS';

/** Where the kernel's exported symbols and their CRCs come from. */
export const symversFlags = {
  symvers: Flags.string({
    summary: "Module.symvers of the kernel's build, to be believed first.",
    helpValue: 'FILE',
    helpGroup: HELP,
  }),
  'boot-image': Flags.string({
    summary: "The boot image that is flashed, or the kernel's own file, in place of the boot partition.",
    helpValue: 'FILE',
    helpGroup: HELP,
  }),
};

/** What the flags ask for. */
export function symversOptions(
  flags: InferredFlags<typeof symversFlags> & Pick<SymversOptions, 'privilege'>,
  force: boolean,
): SymversOptions {
  const { symvers, privilege } = flags;
  const image = flags['boot-image'];
  return {
    privilege,
    force,
    ...(symvers === undefined ? {} : { symversPath: symvers }),
    ...(image === undefined ? {} : { bootImagePath: image }),
  };
}
