import * as Flags from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';
import type { KernelSelection } from '../../app/kernel-workspace';
import { KhError } from '../../core/errors';

const HELP = 'WORKSPACE';

/** A workspace by its path or name, for commands that also know a kernel's release by a flag of their own. */
export const workspaceFlag = Flags.string({
  char: 'w',
  summary: 'Workspace on disk to work with: its path, or DEVICE, or DEVICE/RELEASE. No device is asked.',
  helpValue: 'WORKSPACE',
  helpGroup: HELP,
});

/** A workspace on disk, in place of what a device runs. */
export const kernelFlags = {
  kernel: Flags.string({
    summary: 'Kernel release whose workspace on disk to work with, of any device. No device is asked.',
    description: 'Where workspaces of several builds have that release, -s or --workspace chooses.',
    aliases: ['release'],
    helpValue: 'RELEASE',
    helpGroup: HELP,
  }),
  workspace: workspaceFlag,
};

/** Flags that say something of devices only. */
interface DeviceWords {
  serial?: string[] | undefined;
  all: boolean;
  exclude?: string[] | undefined;
  force: boolean;
}

/**
 * The workspace that the flags name; undefined where they name none.
 *
 * @param meetsDevices whether devices are worked on all the same, which -s, --all and --exclude then choose
 * @throws KhError USAGE for flags that make no sense without a device
 */
export function kernelSelection(
  flags: InferredFlags<typeof kernelFlags> & DeviceWords,
  meetsDevices = false,
): KernelSelection | undefined {
  const { kernel, workspace, serial, all, exclude, force } = flags;
  if (kernel === undefined && workspace === undefined) return undefined;
  const [idle] = [all && '--all', exclude && '--exclude'].filter(Boolean);
  const senseless = force ? '--force' : meetsDevices ? undefined : idle;
  if (senseless !== undefined && senseless !== false) {
    throw new KhError('USAGE', {
      message: `${senseless} is about devices, and with --kernel or --workspace none is asked`,
      hint: `Leave out ${senseless}, or --kernel and --workspace.`,
    });
  }
  return {
    serials: meetsDevices ? [] : (serial ?? []),
    ...(kernel === undefined ? {} : { kernel }),
    ...(workspace === undefined ? {} : { workspace }),
  };
}
