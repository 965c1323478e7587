import * as Flags from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';
import type { WatchOptions } from '../../app/watch/watch-devices';
import { durationFlag } from './duration-flag';

const HELP = 'WATCH';

/** When a watch ends, and what it runs. */
export const watchFlags = {
  once: Flags.boolean({
    summary: 'End when every device that is there has been done, or given up after three attempts.',
    helpGroup: HELP,
  }),
  exec: Flags.string({
    summary: 'Command for `sh -c`, run once for each workspace that is ready.',
    description:
      'It finds KH_SERIAL, KH_RELEASE, KH_WORKSPACE, KH_HEADERS, KH_CHANGED and more in its environment; adb and kh in it mean that very device.',
    helpValue: 'COMMAND',
    helpGroup: HELP,
  }),
  'exec-timeout': durationFlag({
    summary: '[default: 10m] Time for each run of the command.',
    dependsOn: ['exec'],
    helpGroup: HELP,
  }),
};

const EXEC_TIMEOUT = 600_000;

/** What these flags ask for. */
export function watchEnding({
  once,
  exec: command,
  'exec-timeout': timeout = EXEC_TIMEOUT,
}: InferredFlags<typeof watchFlags>): Pick<WatchOptions, 'once' | 'exec'> {
  return { once, ...(command === undefined ? {} : { exec: { command, timeout } }) };
}
