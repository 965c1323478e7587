import { Args } from '@oclif/core';

/** The manifest that a `kh manifest` command works on. */
export const manifestFile = Args.string({
  name: 'FILE',
  description: 'The manifest.',
  required: true,
});
