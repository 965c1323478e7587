import { makeRe } from 'picomatch';
import { KhError } from '../../core/errors';

/** Whether a path of the archive is meant. */
export type PathFilter = (path: string) => boolean;

/**
 * The files that globs name, as gitignore(5) reads them and `rg -g` does: one
 * without a slash in it matches names in every folder, one with a slash the
 * whole path; one that matches a folder takes all that is below it; `!` in
 * front takes out again what matches. The last one that matches counts; where
 * all globs only take out, everything else is in.
 *
 * @throws KhError USAGE for what is no glob
 */
export function globFilter(globs: readonly string[]): PathFilter {
  if (globs.length === 0) return () => true;
  const rules = globs.map(ruleOf).reverse();
  const otherwise = rules.every(({ takesOut }) => takesOut);
  return (path) => {
    const places = [path, ...foldersOf(path)];
    const rule = rules.find(({ matches }) => places.some((place) => matches.test(place)));
    return rule === undefined ? otherwise : !rule.takesOut;
  };
}

interface Rule {
  takesOut: boolean;
  matches: RegExp;
}

function ruleOf(word: string): Rule {
  const takesOut = word.startsWith('!');
  const glob = (takesOut ? word.slice(1) : word).replace(/^\.\//, '/').replace(/\/+$/, '');
  const fromTop = glob.includes('/') ? glob.replace(/^\/+/, '') : `**/${glob}`;
  if (glob === '' || fromTop === '') throw noGlob(word);
  try {
    return { takesOut, matches: makeRe(fromTop, { dot: true, noextglob: true, windows: false }) };
  } catch (cause) {
    throw noGlob(word, cause);
  }
}

/** The folders above a path, the nearest first. */
function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
    folders.push(path.slice(0, at));
  return folders;
}

function noGlob(word: string, cause?: unknown): KhError {
  return new KhError('USAGE', {
    message: `"${word.slice(0, 100)}" is no glob for files of the archive`,
    hint: "As in: 'sched*.h', 'include/linux/**', '!**/generated/**'.",
    cause,
  });
}
