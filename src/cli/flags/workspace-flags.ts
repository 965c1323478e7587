import * as Flags from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';
import type { WorkspaceSelection } from '../../app/workspaces';
import { serialOf } from './device-flags';

const HELP = 'SELECTION';

/** Which of the workspaces on disk; no device is asked. */
export const workspaceFlags = {
  serial: Flags.string({
    char: 's',
    summary: 'Device whose workspaces are meant; may be repeated.',
    description:
      'Its name in the store, its own serial number, or an adb serial that it was pulled under. It need not be attached.',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'SERIAL',
    helpGroup: HELP,
  }),
  release: Flags.string({
    summary: 'Kernel release, as `uname -r` prints it; --kernel is the same.',
    aliases: ['kernel'],
    helpValue: 'RELEASE',
    helpGroup: HELP,
  }),
};

type WorkspaceFlags = InferredFlags<typeof workspaceFlags>;

/** The workspaces that the flags name. */
export function workspaceSelection({ serial, release }: WorkspaceFlags): WorkspaceSelection {
  return { serials: serial ?? [], ...(release === undefined ? {} : { release }) };
}

/** As `workspaceSelection`, for commands that want one: ANDROID_SERIAL counts where no flag says which. */
export function oneWorkspace(
  flags: WorkspaceFlags & { workspace?: string | undefined },
  env: NodeJS.ProcessEnv,
): WorkspaceSelection {
  const isNamed = flags.workspace !== undefined;
  return workspaceSelection({ ...flags, serial: flags.serial ?? (isNamed ? [] : serialOf(env)) });
}

/** As `oneWorkspace`, one selection for each device that is named. */
export function eachWorkspace(flags: WorkspaceFlags, env: NodeJS.ProcessEnv): WorkspaceSelection[] {
  const { serials, ...rest } = oneWorkspace(flags, env);
  return serials.length === 0
    ? [{ serials, ...rest }]
    : serials.map((serial) => ({ serials: [serial], ...rest }));
}
