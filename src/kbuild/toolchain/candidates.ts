import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { isErrno } from '../../core/errors';
import type { KernelArch } from '../kernel-config';
import type { Toolchain, ToolCommand } from './toolchain';

/** A compiler and a linker that may be there. */
export interface Candidate {
  compiler: ToolCommand;
  /** In the order of preference. */
  linkers: ToolCommand[];
  origin: Toolchain['origin'];
  /** For messages: how it came to be looked at. */
  because: string;
}

/** What the user says, by flags or in the environment, in the kernel build's own terms. */
export interface ToolchainChoice {
  /** A compiler, with a wrapper in front if need be: `ccache clang-16`. */
  cc?: string | undefined;
  /** `1`, a suffix (`-16`), or a folder with a slash at its end. */
  llvm?: string | undefined;
  /** Prefix of a gcc toolchain: `aarch64-linux-gnu-`. */
  crossCompile?: string | undefined;
  ld?: string | undefined;
}

/**
 * The one toolchain that was chosen; undefined when none was.
 *
 * @param names what the parts of the choice are called, for messages
 */
export function chosen(
  choice: ToolchainChoice,
  origin: 'flags' | 'environment',
  names: Record<'cc' | 'llvm' | 'crossCompile', string>,
): Candidate | undefined {
  const { cc, llvm, crossCompile = '', ld } = choice;
  const linker = ld === undefined ? [] : [words(ld)];
  if (cc !== undefined) {
    const compiler = words(cc);
    return {
      compiler,
      linkers: [...linker, ...linkersNear(compiler, crossCompile)],
      origin,
      because: `${names.cc}=${cc}`,
    };
  }
  if (llvm !== undefined && llvm !== '0') {
    const tool = llvmTool(llvm);
    return {
      compiler: [tool('clang')],
      linkers: [...linker, [tool('ld.lld')]],
      origin,
      because: `${names.llvm}=${llvm}`,
    };
  }
  if (crossCompile === '') return undefined;
  return {
    compiler: [`${crossCompile}gcc`],
    linkers: [...linker, [`${crossCompile}ld`]],
    origin,
    because: `${names.crossCompile}=${crossCompile}`,
  };
}

/** As the kernel's build reads `LLVM=`. */
function llvmTool(llvm: string): (name: string) => string {
  if (llvm.endsWith('/')) return (name) => `${llvm}${name}`;
  return llvm.startsWith('-') ? (name) => `${name}${llvm}` : (name) => name;
}

/** `/opt/x/clang-17` brings `/opt/x/ld.lld-17`; another compiler the linker of its prefix. */
function linkersNear(compiler: ToolCommand, crossCompile: string): ToolCommand[] {
  const program = compiler.at(-1) ?? '';
  const clang = /^(.*\/)?clang(-\d+)?$/.exec(program);
  if (clang !== null) {
    const [, folder = '', suffix = ''] = clang;
    return [[`${folder}ld.lld${suffix}`], [`${folder}ld.lld`], ['ld.lld']];
  }
  const prefix = /^(.*?)gcc(-\d+)?$/.exec(program)?.[1] ?? crossCompile;
  return [[`${prefix}ld`], ['ld.lld']];
}

/** The compilers of the Android NDKs on this machine, the newest first. */
export function ndkCandidates(environment: NodeJS.ProcessEnv): Candidate[] {
  return ndkFolders(environment).flatMap((ndk) => {
    const hosts = join(ndk, 'toolchains/llvm/prebuilt');
    return namesIn(hosts).map((host) => {
      const bin = join(hosts, host, 'bin');
      return {
        compiler: [join(bin, 'clang')],
        linkers: [[join(bin, 'ld.lld')]],
        origin: 'ndk' as const,
        because: `the Android NDK in ${ndk}`,
      };
    });
  });
}

function ndkFolders(environment: NodeJS.ProcessEnv): string[] {
  const named = ['ANDROID_NDK_HOME', 'ANDROID_NDK_ROOT', 'ANDROID_NDK'].map((name) => environment[name]);
  const home = environment['HOME'] ?? homedir();
  const sdks = [
    environment['ANDROID_HOME'],
    environment['ANDROID_SDK_ROOT'],
    join(home, 'Android/Sdk'),
    join(home, 'Library/Android/sdk'),
  ];
  const inSdks = sdks.filter(isSet).flatMap((sdk) => {
    const side = join(sdk, 'ndk');
    return [...byVersion(namesIn(side)).map((name) => join(side, name)), join(sdk, 'ndk-bundle')];
  });
  const inOpt = byVersion(namesIn('/opt').filter((name) => name.startsWith('android-ndk')));
  return [...new Set([...named.filter(isSet), ...inSdks, ...inOpt.map((name) => join('/opt', name))])];
}

/**
 * `clang` and `clang-N` on the PATH, the nearest to `wanted` first: the same
 * version, then newer ones, then older ones.
 *
 * @param wanted the kernel's own major version; undefined when unknown
 */
export function pathClangs(environment: NodeJS.ProcessEnv, wanted: number | undefined): Candidate[] {
  return versionsOnPath('clang', environment, wanted).map((name) => {
    const suffix = name.slice('clang'.length);
    const linkers = [...new Set([`ld.lld${suffix}`, 'ld.lld'])].map((linker) => [linker]);
    return { compiler: [name], linkers, origin: 'path' as const, because: `${name} on the PATH` };
  });
}

const GCC_PREFIXES: Record<KernelArch, string[]> = {
  arm64: ['aarch64-linux-gnu-', 'aarch64-none-linux-gnu-', 'aarch64-linux-android-'],
  x86_64: ['x86_64-linux-gnu-', 'x86_64-linux-android-'],
};

/**
 * gcc on the PATH that builds for `arch`: cross compilers, and this machine's
 * own where it is of that kind; of each the nearest to `wanted` first, as with clang.
 *
 * @param wanted the kernel's own major version; undefined when unknown
 */
export function pathGccs(
  environment: NodeJS.ProcessEnv,
  arch: KernelArch,
  wanted: number | undefined,
): Candidate[] {
  const native = process.arch === (arch === 'arm64' ? 'arm64' : 'x64');
  return [...GCC_PREFIXES[arch], ...(native ? [''] : [])].flatMap((prefix) =>
    versionsOnPath(`${prefix}gcc`, environment, wanted).map((name) => ({
      compiler: [name],
      linkers: [[`${prefix}ld`]],
      origin: 'path' as const,
      because: `${name} on the PATH`,
    })),
  );
}

/** `program` and `program-N` on the PATH, in the order of `distance`. */
function versionsOnPath(
  program: string,
  environment: NodeJS.ProcessEnv,
  wanted: number | undefined,
): string[] {
  const names = (environment['PATH'] ?? '').split(delimiter).filter(isSet).flatMap(namesIn);
  const isVersion = (name: string): boolean =>
    name.startsWith(program) && /^(-\d+)?$/.test(name.slice(program.length));
  return [...new Set(names.filter(isVersion))].sort((a, b) => distance(a, wanted) - distance(b, wanted));
}

/** A plain name, which does not tell its version, comes behind all that tell theirs. */
function distance(name: string, wanted: number | undefined): number {
  const major = Number(/-(\d+)$/.exec(name)?.[1]);
  if (Number.isNaN(major)) return 1e6;
  if (wanted === undefined) return -major;
  return major >= wanted ? major - wanted : 1000 + wanted - major;
}

function byVersion(names: string[]): string[] {
  return [...names].sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}

function words(command: string): string[] {
  return command.trim().split(/\s+/);
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
