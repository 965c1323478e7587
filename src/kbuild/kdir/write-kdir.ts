import { mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { diskError } from '../../core/disk-error';
import { isErrno } from '../../core/errors';
import { readIfThere } from '../../core/read-if-there';
import type { SettledFlags } from '../flags/settle-flags';
import type { KernelArch, KernelConfig, KernelVersion } from '../kernel-config';
import { runTool } from '../toolchain/run-tool';
import type { AskTool } from '../toolchain/tool-answers';
import { versionText, type Toolchain } from '../toolchain/toolchain';
import { autoConf, dotConfig } from './config-files';
import type { KdirRecord } from './kdir-record';
import { kernelMk } from './kernel-mk';
import { moduleLinkerScript } from './linker-script';
import { refuseUnusablePath } from './make-path';

export interface KdirOptions {
  /** The folder to write, made where it is not there. */
  kdirPath: string;
  /** The extracted archive; it is linked to, not copied, and not written to. */
  headersPath: string;
  arch: KernelArch;
  config: KernelConfig;
  version: KernelVersion;
  toolchain: Toolchain;
  flags: SettledFlags;
  /** The kernel's exports in five columns, where they are known. */
  symversPath?: string | undefined;
  /** The command that runs modpost, as its words; by default kh's own, by this Node. */
  modpost?: readonly string[];
  /** How the compiler is asked; without a memory when left out. */
  ask?: AskTool;
  signal: AbortSignal;
}

/** Our Makefiles and headers, which are the same in every kdir. */
const FILES = [
  'kh/paths.mk',
  'kh/functions.mk',
  'kh/compile.mk',
  'kh/folder.mk',
  'kh/finish.mk',
  'kh/plain-jump-labels.h',
  'kh/keep-exports.h',
  'kh/nothing-cold.h',
  'kh/plain-percpu.h',
];

/**
 * Writes the folder that stands in for a prepared kernel tree:
 * `make -C KDIR M=FOLDER modules` builds FOLDER's modules.
 *
 * Each file appears whole, and one that would stay as it is is left alone: a
 * build that runs meanwhile is not disturbed, and the next one makes nothing
 * anew without need.
 *
 * @throws KhError BUILD_BAD_PATH for a folder that make cannot work with; BUILD_BAD_HEADERS; STORE_*; or the signal's reason
 */
export async function writeKdir(options: KdirOptions): Promise<void> {
  const { kdirPath, headersPath, config, version } = options;
  for (const path of [kdirPath, headersPath]) refuseUnusablePath(path);
  try {
    for (const name of ['kh', 'include/config']) await mkdir(join(kdirPath, name), { recursive: true });
    await linkHeaders(kdirPath, headersPath);
    await linkSymvers(kdirPath, options.symversPath);
    for (const [name, text] of await texts(options)) await writeIfOther(join(kdirPath, name), text);
    await writeIfOther(join(kdirPath, '.config'), dotConfig(config, version));
    await writeIfOther(join(kdirPath, 'include/config/auto.conf'), autoConf(config, version));
    await writeIfOther(join(kdirPath, 'include/config/kernel.release'), `${version.release}\n`);
  } catch (error) {
    if (options.signal.aborted) throw options.signal.reason;
    throw diskError(error, kdirPath);
  }
}

async function texts(options: KdirOptions): Promise<[name: string, text: string][]> {
  const { toolchain, arch, version, headersPath, symversPath } = options;
  const modpost = options.modpost ?? [process.execPath, join(__dirname, '../modpost/main.js')];
  const compileCommands = [process.execPath, join(__dirname, '../compile-commands/main.js')];
  const compilerHeaders = await headersOfCompiler(options);
  const { compiler, linker } = toolchain;
  const record: KdirRecord = {
    kdir: 1,
    arch,
    release: version.release,
    headers: headersPath,
    symvers: symversPath ?? null,
    compiler: {
      kind: compiler.kind,
      command: compiler.command.join(' '),
      version: versionText(compiler.version),
    },
    linker: { command: linker.command.join(' '), version: linker.text },
  };
  const template = join(__dirname, 'files/kh/module.lds.S');
  const present = await readIfThere(join(options.kdirPath, 'kh/module.lds'));
  const copied = FILES.map(async (name): Promise<[string, string]> => [name, await ownFile(name)]);
  return [
    ...(await Promise.all(copied)),
    ['Makefile', withVersion(await ownFile('Makefile'), version)],
    ['kh/kernel.mk', kernelMk({ ...options, modpost, compileCommands, compilerHeaders })],
    ['kh/module.lds', await moduleLinkerScript(template, present, options)],
    ['kh.json', `${JSON.stringify(record, null, 2)}\n`],
  ];
}

function ownFile(name: string): Promise<string> {
  return readFile(join(__dirname, 'files', name), 'utf8');
}

function withVersion(makefile: string, { major, minor, patch }: KernelVersion): string {
  const values: Record<string, number> = { MAJOR: major, MINOR: minor, PATCH: patch };
  return makefile.replace(/@(MAJOR|MINOR|PATCH)@/g, (_, name: string) => String(values[name]));
}

async function headersOfCompiler({ toolchain, signal, ask = runTool }: KdirOptions): Promise<string> {
  return (await ask(toolchain.compiler.command, ['-print-file-name=include'], signal)).output.trim();
}

/**
 * Makefiles look for the kernel's headers below $(srctree). `include/` is a
 * folder of our own, since configuration files belong into it.
 */
async function linkHeaders(kdirPath: string, headersPath: string): Promise<void> {
  await link(join(headersPath, 'arch'), join(kdirPath, 'arch'));
  const names = (await readdir(join(headersPath, 'include'))).filter((name) => name !== 'config');
  for (const name of names) await link(join(headersPath, 'include', name), join(kdirPath, 'include', name));
}

async function linkSymvers(kdirPath: string, symversPath: string | undefined): Promise<void> {
  const path = join(kdirPath, 'Module.symvers');
  if (symversPath === undefined) await rm(path, { force: true });
  else if (symversPath !== path) await link(symversPath, path);
}

/** A link at `path` to `target`, put there in one step. */
async function link(target: string, path: string): Promise<void> {
  const text = relative(dirname(path), target);
  const present = await readlink(path).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT', 'EINVAL')) return undefined;
    throw error;
  });
  if (present === text) return;
  const beside = `${path}.${process.pid}`;
  await symlink(text, beside);
  await rename(beside, path);
}

async function writeIfOther(path: string, text: string): Promise<void> {
  if ((await readIfThere(path)) === text) return;
  const beside = `${path}.${process.pid}`;
  await writeFile(beside, text);
  await rename(beside, path);
}
