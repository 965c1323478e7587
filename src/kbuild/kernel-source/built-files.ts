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
