import { readdirSync, readlinkSync, type Dirent } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { isErrno } from '../../core/errors';
import { leftByBuilds } from './built-files';

/** A part of a kernel's source that its build of modules needs. */
export interface BuildFile {
  /** From the top of the source. */
  path: string;
  /** Where a link leads. */
  target?: string;
}

/** Without these, no kernel's build can prepare for modules; header packages lack some. */
const NEEDED = [
  'Makefile',
  'Kbuild',
  'Kconfig',
  'init/Kconfig',
  'include/linux/kconfig.h',
  'kernel/bounds.c',
  'kernel/time/timeconst.bc',
  'scripts/Kbuild.include',
  'scripts/basic/fixdep.c',
  'scripts/kconfig/conf.c',
  'scripts/mod/modpost.c',
];

/** Which files of a folder are taken, by their names; all of them where left out. */
interface Part {
  folder: string;
  files?: RegExp;
  /** Also what is in its folders; named ones are passed over. */
  deep?: { without: readonly string[] };
}

/** Each architecture's processors and boards are described there at length, and no module's build reads it. */
const NOT_OF_ARCH = ['boot/dts', 'configs'];

/**
 * What `modules_prepare` and `make M=…` read of a source. A folder that some
 * file of it is needed of is mostly taken whole: which ones are has changed
 * with every few versions.
 *
 * @see scripts/package/install-extmod-build and the targets `prepare` and `scripts` in the kernel's Makefile
 */
function partsOf(arch: string): Part[] {
  const whole = (folder: string, without: string[] = []): Part => ({ folder, deep: { without } });
  return [
    { folder: '', files: /^(?:Makefile|Kbuild|COPYING)$/ },
    // Kconfig reads all of a source, whatever is on, and some of other architectures: drivers/ras that of x86.
    { folder: '', files: /^Kconfig/, deep: { without: [] } },
    whole('include'),
    whole('scripts'),
    whole(`arch/${arch}`, NOT_OF_ARCH),
    { folder: 'kernel', files: /\.h$/, deep: { without: [] } },
    { folder: 'kernel', files: /^bounds\.c$/ },
    { folder: 'kernel/time', files: /^timeconst\.bc$/ },
    { folder: 'kernel/sched', files: /^rq-offsets\.c$/ },
    // With them, the architecture's own vDSO is made.
    whole('lib/vdso'),
    // scripts/checksyscalls.sh compares all architectures with that of x86.
    whole('arch/x86/entry/syscalls'),
    // scripts/selinux is built with them.
    whole('security/selinux/include'),
    // objtool, and headers for programs of scripts/.
    { folder: 'tools', files: /^Makefile$/ },
    ...['arch', 'build', 'include', 'lib/subcmd', 'objtool', 'scripts'].map((name) => whole(`tools/${name}`)),
    { folder: 'tools/lib', files: /\.c$/ },
  ];
}

/**
 * Lists what a kernel's own build needs of its source to make modules, sorted
 * by path. What builds left in the source is passed over, and so are links
 * that lead to something else than what is listed.
 *
 * @param arch the kernel's name for the processor: `arm64`, `x86`
 * @throws as node:fs does where the source cannot be read
 */
export function listBuildFiles(source: string, arch: string): BuildFile[] {
  const found = new Map<string, BuildFile>();
  for (const part of partsOf(arch))
    for (const file of filesOf(source, arch, part)) found.set(file.path, file);
  const folders = new Set([...found.keys()].flatMap(foldersAbove));
  return [...found.values()]
    .filter(({ path, target }) => {
      if (target === undefined) return true;
      const end = normalize(join(dirname(path), target));
      return found.get(end)?.target === undefined && (found.has(end) || folders.has(end));
    })
    .sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** What a list lacks for a kernel's build to work with it. */
export function missingBuildFiles(files: readonly BuildFile[]): string[] {
  const paths = new Set(files.map(({ path }) => path));
  return NEEDED.filter((path) => !paths.has(path));
}

function* filesOf(source: string, arch: string, { folder, files, deep }: Part): Generator<BuildFile> {
  const left = new Set(deep?.without.map((name) => join(folder, name)));
  const visit = function* (at: string): Generator<BuildFile> {
    const entries = entriesOf(join(source, at));
    const names = entries.map(({ name }) => name);
    const built = leftByBuilds(at, names, arch);
    for (const entry of entries) {
      const { name } = entry;
      const path = join(at, name);
      // Names that are not UTF-8 are in no kernel, and cannot be unpacked everywhere.
      if (built.has(name) || left.has(path) || name.includes('\ufffd')) continue;
      if (entry.isDirectory() && deep !== undefined) yield* visit(path);
      else if (files?.test(name) === false) continue;
      else if (entry.isFile()) yield { path };
      else if (entry.isSymbolicLink()) yield { path, target: readlinkSync(join(source, path)) };
    }
  };
  yield* visit(folder);
}

function foldersAbove(path: string): string[] {
  const folder = dirname(path);
  return folder === '.' ? [] : [folder, ...foldersAbove(folder)];
}

/** None where there is no such folder: versions differ. */
function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
