import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { diskError, outputError } from '../core/disk-error';
import { isErrno, KhError } from '../core/errors';
import { makeFolder } from '../core/make-folder';
import { userMode } from '../core/umask';
import type { BuildDiagnostic } from '../kbuild/build-diagnostics';
import { checkModule } from '../kbuild/check/check-module';
import { loaderExpectations } from '../kbuild/check/expectations';
import type { Finding } from '../kbuild/check/finding';
import { compileCommands, writeCompileCommands } from '../kbuild/compile-commands/compile-commands';
import { copyModule, extraSymbolFiles } from '../kbuild/kernel-source/module-copy';
import { parseSymvers, type SymversEntry } from '../kbuild/symvers/symvers-file';
import { findMake } from '../kbuild/toolchain/find-make';
import { treePath } from '../store/archives';
import type { Store } from '../store/layout';
import { withLock } from '../store/lock';
import { buildersKey } from '../store/sharing';
import { markWorkspaceUsed } from '../store/workspaces';
import type { Context } from './context';
import { kernelFolder, type BuiltWith } from './kernel-folder';
import type { KernelWorkspace } from './kernel-workspace';
import { kernelSourceKey } from './packed-source';
import { recoverSymvers, type KernelAtHand, type SymversOptions } from './recover-symvers';
import { runMake } from './run-make';
import { kernelKey, readReadings } from './symvers-readings';

export interface BuildOptions extends BuiltWith {
  /** The module's folder: with a Kbuild, or a Makefile for the kernel's build. */
  source: string;
  symvers: SymversOptions;
  /** Where the finished modules are copied to. */
  outputPath?: string;
  /** Further words for make. */
  makeWords: readonly string[];
  /** Where to list how each source is compiled, for editors. */
  compileCommandsPath?: string;
}

/** A module that was built and checked. */
export interface BuiltModule {
  path: string;
  findings: Finding[];
}

/** What came of a build. */
export interface Build {
  kdir: string;
  release: string;
  /** Where the objects are; the same for the next build. */
  objects: string;
  modules: BuiltModule[];
  compiler: string;
  notes: string[];
  /** The list of how each source is compiled, where one was asked for. */
  compileCommands?: string;
  /** What compiler, linker, make and modpost said; warnings and notes, as it went well. */
  diagnostics: BuildDiagnostic[];
  milliseconds: number;
}

/**
 * Builds a folder's modules for the kernel of a workspace, and checks each the
 * way the kernel's loader will. Nothing is written into the folder.
 *
 * @throws KhError BUILD_*, TOOLCHAIN_MISSING, SYMVERS_UNAVAILABLE, USAGE, STORE_*; or the signal's reason
 */
export async function buildModule(
  atHand: KernelAtHand,
  options: BuildOptions,
  context: Context,
): Promise<Build> {
  const start = performance.now();
  const { kernel, device } = atHand;
  const source = await sourceFolder(options.source);
  await markWorkspaceUsed(kernel.workspace);
  const symvers = await recoverSymvers(atHand, options.symvers, context);
  const objects = objectsFolder(kernel, source, options, context.store);
  const serial = device?.listed.serial ?? kernel.device;
  const { signal, emit } = context;
  const make = await findMake(signal);
  const request = { kernel, symversPath: symvers.path, serial };
  const { kdirPath, toolchain, notes } = await kernelFolder(request, options, context);
  return withLock(
    context.store,
    `build-${shortDigest(objects)}`,
    async () => {
      const inCopy = options.kernelSource !== undefined;
      try {
        if (inCopy) await copyModule(source, objects, signal);
        else await mkdir(objects, { recursive: true });
      } catch (error) {
        throw diskError(error, objects);
      }
      for (const message of notes) emit({ type: 'warning', serial, message });
      emit({ type: 'build.started', serial, source });
      const words = options.makeWords;
      const diagnostics = await runMake({
        make,
        kdir: kdirPath,
        source,
        objects,
        inCopy,
        words,
        serial,
        signal,
        emit,
      });
      const described = describeCommands(options, objects, kdirPath);
      const extra = inCopy
        ? await extraSymbolFiles(objects, kdirPath)
        : await listed(objects, '.extra-symbols');
      const built = await checkBuilt(kernel, [symvers.path, ...extra], objects, context);
      const modules = await deliver(built, options.outputPath);
      const milliseconds = Math.round(performance.now() - start);
      for (const { path } of modules) emit({ type: 'build.finished', serial, path, milliseconds });
      const { release } = kernel;
      const compiler = toolchain.compiler.text;
      const paths = { kdir: kdirPath, objects, ...described };
      return { ...paths, release, modules, compiler, notes, diagnostics, milliseconds };
    },
    { signal },
  );
}

/** The same for each build of a folder, and another one for each kernel source, and for each user of a shared store. */
function objectsFolder(
  { workspace }: KernelWorkspace,
  source: string,
  { kernelSource }: BuildOptions,
  store: Store,
): string {
  const name = plainName(source);
  const builds = join(workspace, 'build');
  const place = `${source}${buildersKey(store)}`;
  if (kernelSource === undefined) return join(builds, `${name}-${shortDigest(place)}`);
  return join(builds, `${name}-${shortDigest(`${place}\0${kernelSourceKey(kernelSource)}`)}`, name);
}

/**
 * Builds once for each kernel: devices that run the same one share the build.
 * Of several kernels, the first is the one that editors are told of.
 */
export function onceForEachKernel(
  build: typeof buildModule,
  options: BuildOptions,
): (atHand: KernelAtHand, context: Context) => Promise<Build> {
  const builds = new Map<string, Promise<Build>>();
  const others = { ...options };
  delete others.compileCommandsPath;
  return (atHand, context) => {
    const name = JSON.stringify(kernelKey(atHand.kernel));
    const started = builds.get(name) ?? build(atHand, builds.size === 0 ? options : others, context);
    builds.set(name, started);
    return started;
  };
}

/** @throws KhError USAGE where there is no such folder */
export async function sourceFolder(folder: string): Promise<string> {
  const path = resolve(folder);
  const found = await stat(path).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  });
  if (found?.isDirectory()) return path;
  throw new KhError('USAGE', { message: `${path} is no folder with a module's source` });
}

/** Also of modules that do not pass the loader's check: whoever mends them has an editor open. */
function describeCommands(
  { compileCommandsPath }: BuildOptions,
  objects: string,
  kdir: string,
): { compileCommands?: string } {
  if (compileCommandsPath === undefined) return {};
  const path = resolve(compileCommandsPath);
  writeCompileCommands(path, compileCommands(objects, kdir));
  return { compileCommands: path };
}

/** The finished modules, each as the kernel's loader would see it. Throws for the first that it would refuse. */
async function checkBuilt(
  kernel: KernelWorkspace,
  symvers: string[],
  objects: string,
  { store }: Context,
): Promise<BuiltModule[]> {
  const built = await builtFiles(objects);
  const files = [...symvers, join(objects, 'Module.symvers')];
  const exported = (await Promise.all(files.map(readSymvers))).flat();
  const thisModuleSize = (await readReadings(kernel)).modules?.thisModuleSize;
  const expected = loaderExpectations({ headers: treePath(store, kernel.sha256), exported, thisModuleSize });
  const modules: BuiltModule[] = [];
  for (const path of built) {
    const findings = checkModule(await readFile(path), path, expected);
    const refusal = findings.find(({ severity }) => severity === 'error');
    if (refusal !== undefined) {
      throw new KhError('BUILD_UNLOADABLE', {
        message: `${basename(path)} was built, but the kernel would refuse it: ${refusal.text}`,
        hint: refusal.hint,
        details: { path, findings },
      });
    }
    modules.push({ path, findings });
  }
  return modules;
}

/** The modules of the last build: `modules.order` lists them. */
async function builtFiles(objects: string): Promise<string[]> {
  const modules = await listed(objects, 'modules.order');
  if (modules.length === 0) {
    throw new KhError('BUILD_FAILED', {
      message: 'no module was built: obj-m in the Makefile or Kbuild lists none',
      hint: 'With obj-$(CONFIG_X) it lists none where X is off: put CONFIG_X=m behind --.',
    });
  }
  return modules.map((path) => resolve(objects, path.replace(/\.[^./]+$/, '.ko')));
}

async function readSymvers(path: string): Promise<SymversEntry[]> {
  return parseSymvers(await readFile(path, 'utf8'), path);
}

/** The paths in a file that the build left. */
async function listed(objects: string, file: string): Promise<string[]> {
  const text = await readFile(join(objects, file), 'utf8');
  return text.split(/\s+/).filter((path) => path !== '');
}

async function deliver(modules: BuiltModule[], outputPath: string | undefined): Promise<BuiltModule[]> {
  if (outputPath === undefined) return modules;
  const folder = resolve(outputPath);
  try {
    await makeFolder(folder, userMode(0o777));
    return await Promise.all(
      modules.map(async ({ path, findings }) => {
        const copy = join(folder, basename(path));
        await copyFile(path, copy);
        const { mode } = await stat(path);
        if (userMode(mode) !== mode) await chmod(copy, userMode(mode));
        return { path: copy, findings };
      }),
    );
  } catch (error) {
    throw outputError(error, folder);
  }
}

/** The folder's own name, as far as make can work with it: people look for it. */
function plainName(path: string): string {
  return basename(path).replace(/[^\w.-]/g, '_') || 'module';
}

function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
