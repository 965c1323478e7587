import { KhError } from '../../core/errors';

/** What make, or a shell on its behalf, would take apart. */
const UNUSABLE = /[\s:;|&=%*?[\]<>{}!"'`\\#$(),]/u;

/**
 * Refuses a folder that make cannot build in.
 *
 * @param hint what to do about it; by default, what to do about a folder of the store
 * @throws KhError BUILD_BAD_PATH
 */
export function refuseUnusablePath(
  path: string,
  hint = 'Set KH_HOME to a folder with a plainer path.',
): void {
  const character = UNUSABLE.exec(path)?.[0];
  if (character === undefined) return;
  throw new KhError('BUILD_BAD_PATH', {
    message: `make cannot work with ${path}: there is ${character === ' ' ? 'a space' : character} in its path`,
    hint,
    details: { path, character },
  });
}
