import { join } from 'node:path';

/** What the kernel's build leaves beside sources, by its names. */
const BUILT = /\.mod(?:\.c)?$|^\..*\.(?:cmd|d|tmp)$|^(?:modules\.order|Module\.symvers)$/;

/**
 * Which of a folder's files a kernel's build made: those of its kinds, and
 * those with the command that made them beside them (`x.o` with `.x.o.cmd`). An
 * object without came with the sources.
 */
export function builtFiles(names: readonly string[]): Set<string> {
  const present = new Set(names);
  return new Set(names.filter((name) => BUILT.test(name) || present.has(`.${name}.cmd`)));
}

/** What is made by a build of the kernel, and belongs beside objects: by path. */
export function generatedFolders(srcArch: string): string[] {
  return ['include/generated', `arch/${srcArch}/include/generated`];
}

/** What builds leave, and git's own: a release must not depend on the state of someone's checkout. */
const AT_TOP = /^(?:\.git|\.config(?:\.old)?|\.version|vmlinux.*|System\.map|modules\..*|source|\.tmp_.*)$/;

/** What bison makes: one of the two has no record of the command. Those that come with a source end in `_shipped`. */
const OF_BISON = /\.tab\.[ch]$/;

/** Made without a record of the command. */
const IN_SCRIPTS_MOD = ['elfconfig.h', 'devicetable-offsets.h'];

/**
 * Which names in a folder of a kernel's source are no part of it: what builds
 * left there, and git's own.
 *
 * @param at the folder, from the top of the source
 */
export function leftByBuilds(at: string, names: readonly string[], srcArch: string): Set<string> {
  const left = builtFiles(names);
  for (const name of names) {
    const path = join(at, name);
    const made =
      (at === '' && AT_TOP.test(name)) ||
      OF_BISON.test(name) ||
      (at === 'scripts/mod' && IN_SCRIPTS_MOD.includes(name)) ||
      path === 'include/config' ||
      generatedFolders(srcArch).includes(path);
    if (made) left.add(name);
  }
  return left;
}
