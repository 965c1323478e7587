import * as Args from '@oclif/core/args';

/** The manifest that a `kh manifest` command works on. */
export const manifestFile = Args.string({
  name: 'FILE',
  description: 'The manifest.',
  required: true,
});
