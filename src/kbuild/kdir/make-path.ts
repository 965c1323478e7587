import { KhError } from '../../core/errors';

/** What make, or a shell on its behalf, would take apart. */
const UNUSABLE = /[\s:;|&=%*?[\]<>{}!"'`\\#$(),]/u;

/**
 * Refuses a folder of the store that make cannot build in.
 *
 * @throws KhError BUILD_BAD_PATH
 */
export function refuseUnusablePath(path: string): void {
  const character = UNUSABLE.exec(path)?.[0];
  if (character === undefined) return;
  throw new KhError('BUILD_BAD_PATH', {
    message: `make cannot work with ${path}: there is ${character === ' ' ? 'a space' : character} in its path`,
    hint: 'Set KH_HOME to a folder with a plainer path.',
    details: { path, character },
  });
}
