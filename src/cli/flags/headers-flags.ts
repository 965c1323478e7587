import * as Flags from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';
import type { HeadersPlace } from '../../app/headers/headers-index';
import { KhError } from '../../core/errors';
import { deviceFlags } from './device-flags';
import { kernelFlags, kernelSelection } from './kernel-flags';
import { privilegeFlag } from './pull-flags';

/** Whose headers to read. */
export const headersFlags = {
  archive: Flags.string({
    char: 'a',
    summary: 'A kheaders.tar.xz to read. No device is asked.',
    exclusive: ['kernel', 'workspace', 'serial', 'all', 'exclude'],
    helpValue: 'FILE',
    helpGroup: 'WORKSPACE',
  }),
  ...kernelFlags,
  ...deviceFlags,
  privilege: privilegeFlag('How far to go where the headers are denied to the shell user.'),
};

/** The archive or the workspace that the flags name; undefined where devices are meant. @throws KhError USAGE */
export function headersPlace(flags: InferredFlags<typeof headersFlags>): HeadersPlace | undefined {
  const { archive } = flags;
  if (archive === '') throw new KhError('USAGE', { message: '--archive names no file' });
  if (archive !== undefined) return { archive };
  const selection = kernelSelection({ ...flags, force: false });
  return selection && { selection };
}
