import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { KhError, isErrno } from '../core/errors';
import { kernelVersion, parseAutoconf, type KernelVersion } from './kernel-config';

/** A kernel that was built, or prepared for modules, in a folder of this machine. */
export interface BuildTree {
  /** Where its generated files are. */
  build: string;
  /** Where its source is: the same folder, unless it was built with `O=` or comes in two packages. */
  source: string;
  /** The kernel's own name of the processor, as in `arch/arm64`. */
  arch: string;
  version: KernelVersion;
}

/** What the folder itself does not tell, or not rightly. */
export interface BuildTreeHints {
  source?: string | undefined;
  arch?: string | undefined;
}

const VERSION_HEADER = 'include/generated/uapi/linux/version.h';

/** Without these, nothing is known of the kernel; `make modules_prepare` makes them. */
const GENERATED = ['include/generated/autoconf.h', 'include/generated/utsrelease.h', VERSION_HEADER];

/**
 * Finds out what a folder with a kernel build is made of: in its source, with
 * `O=`, or a distribution's header packages.
 *
 * @throws KhError USAGE where it is no such folder, BUILD_BAD_SOURCE where its source is not to be found, BUILD_BAD_HEADERS, STORE_*
 */
export async function openBuildTree(folder: string, hints: BuildTreeHints = {}): Promise<BuildTree> {
  const build = resolve(folder);
  for (const name of GENERATED) {
    if (!(await isThere(join(build, name)))) throw noBuild(build, name);
  }
  const version = await exactVersion(build);
  const source = await sourceOf(build, hints.source);
  const arch = hints.arch === undefined ? await archOf(build) : await namedArch(build, hints.arch);
  if (!(await isThere(join(source, 'arch', arch, 'include')))) throw noArch(source, arch);
  return { build, source, arch, version };
}

/** A distribution's release need not name the stable kernel that it is of: Debian's 6.1.0-56 is 6.1.192. */
async function exactVersion(build: string): Promise<KernelVersion> {
  const version = builtVersion(build);
  const text = await readFile(join(build, VERSION_HEADER), 'latin1');
  const code = Number(/^#define LINUX_VERSION_CODE (\d+)/m.exec(text)?.[1]);
  return { ...version, patch: Math.max(version.patch, code & 0xff) };
}

function builtVersion(build: string): KernelVersion {
  try {
    return kernelVersion(build);
  } catch (error) {
    if (!(error instanceof KhError && error.code === 'BUILD_BAD_HEADERS')) throw error;
    const { code, reason, details, cause } = error;
    const hint = 'A build that was interrupted leaves such files: run `make modules_prepare` there again.';
    throw new KhError(code, { message: reason, hint, details, cause });
  }
}

/**
 * A build in its source has the headers itself. Otherwise it names its source:
 * by the headers that it links to (Ubuntu's packages), by the link `source`, or
 * in its Makefile (also Debian's packages). A package that was unpacked
 * elsewhere has its source beside it, not where it says.
 */
async function sourceOf(build: string, given: string | undefined): Promise<string> {
  if (given !== undefined) {
    const source = resolve(given);
    if (await isSource(source)) return source;
    throw noSource(`${source} is no source of a kernel: it has no ${SOURCE_MARK}`, { source });
  }
  const linked = await linkedHeaders(build);
  if (linked === undefined && (await isSource(build))) return build;
  const named = [linked, join(build, 'source'), sourceInMakefile(await makefileOf(build))];
  const places = named.filter((place) => place !== undefined);
  for (const place of places.flatMap((one) => [resolve(build, one), join(dirname(build), basename(one))])) {
    if (await isSource(place)) return await realpath(place);
  }
  const said = places.at(-1);
  throw noSource(`the source that ${build} was built from is not there`, { build, ...(said && { said }) });
}

const SOURCE_MARK = 'include/linux/kconfig.h';

function isSource(folder: string): Promise<boolean> {
  return isThere(join(folder, SOURCE_MARK));
}

/** The top of the tree that `include/linux` leads to, where it is a link. */
async function linkedHeaders(build: string): Promise<string | undefined> {
  const headers = join(build, 'include/linux');
  const isLink = (await lstat(headers).catch(() => undefined))?.isSymbolicLink() === true;
  if (!isLink) return undefined;
  return dirname(dirname(await realpath(headers).catch(() => join(build, 'source/include/linux'))));
}

async function makefileOf(build: string): Promise<string> {
  return readFile(join(build, 'Makefile'), 'utf8').catch(() => '');
}

/**
 * Where the Makefile of an `O=` folder leads: `include SOURCE/Makefile` since
 * 5.4, `MAKEARGS := -C SOURCE` before.
 *
 * @see scripts/mkmakefile, and the rule `outputmakefile` of the kernel's Makefile
 */
function sourceInMakefile(text: string): string | undefined {
  return (
    /^include[ \t]+(\S+)\/Makefile[ \t]*$/m.exec(text)?.[1] ??
    /^MAKEARGS[ \t]*:=[ \t]*-C[ \t]+(\S+)/m.exec(text)?.[1]
  );
}

/** The processors that a build has generated headers of. */
async function generatedArchs(build: string): Promise<string[]> {
  const all = await readdir(join(build, 'arch')).catch(() => []);
  const generated: string[] = [];
  for (const name of all) {
    if (await isThere(join(build, 'arch', name, 'include/generated'))) generated.push(name);
  }
  return generated;
}

/** With the headers of another processor than it was built for, an archive would be of no kernel. */
async function namedArch(build: string, arch: string): Promise<string> {
  const generated = await generatedArchs(build);
  if (generated.length === 0 ? /^\w+$/.test(arch) : generated.includes(arch)) return arch;
  throw new KhError('USAGE', {
    message:
      generated.length === 0
        ? `"${arch}" is no processor's name`
        : `${build} was not built for ${arch}: generated headers are there of ${generated.join(', ')}`,
    hint: "Name the processor by the kernel's name of its folder: arm64, x86.",
    details: { build, found: generated },
  });
}

/** The one that has generated headers; of several, in a source built for more than one, that of the configuration. */
async function archOf(build: string): Promise<string> {
  const generated = await generatedArchs(build);
  const [only, ...others] = generated;
  if (only !== undefined && others.length === 0) return only;
  const config = parseAutoconf(await readFile(join(build, GENERATED[0] ?? ''), 'latin1'));
  const configured = generated.filter((name) => config.isOn(OPTIONS[name] ?? name.toUpperCase()));
  const [arch] = configured;
  if (arch !== undefined && configured.length === 1) return arch;
  const found = generated.length === 0 ? 'none' : generated.join(', ');
  throw new KhError('USAGE', {
    message: `cannot tell which processor ${build} is for: generated headers are there of ${found}`,
    hint: "Name it with --arch, by the kernel's name of its folder: arm64, x86.",
    details: { build, found: generated },
  });
}

/** Options of architectures that are not named as their folders are. */
const OPTIONS: Record<string, string> = { powerpc: 'PPC', sh: 'SUPERH', um: 'UML' };

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return false;
    throw new KhError('USAGE', { message: `${path} cannot be read`, details: { path }, cause: error });
  }
}

function noBuild(build: string, missing: string): KhError {
  return new KhError('USAGE', {
    message: `${build} is no kernel build, or none that was prepared: it has no ${missing}`,
    hint: 'Name the folder that make was told with O=, or the source itself, after `make modules_prepare` at least.',
    details: { build, missing },
  });
}

function noArch(source: string, arch: string): KhError {
  return new KhError('USAGE', {
    message: `the source ${source} has no headers for ${arch}: there is no arch/${arch}/include`,
    hint: "Name the processor by the kernel's name of its folder: arm64, x86.",
    details: { source, arch },
  });
}

function noSource(message: string, details: { build?: string; source?: string; said?: string }): KhError {
  const { said } = details;
  return new KhError('BUILD_BAD_SOURCE', {
    message: said === undefined ? message : `${message}: it names ${said}`,
    hint: 'Name the source with --source.',
    details,
  });
}
