import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { diskError } from '../../core/disk-error';
import { isErrno, KhError } from '../../core/errors';
import { sourceArch } from '../kdir/kernel-mk';
import { refuseUnusablePath } from '../kdir/make-path';
import { refuseUnsupported } from '../flags/refusals';
import {
  kernelArch,
  kernelVersion,
  parseAutoconf,
  readKernelConfig,
  type KernelArch,
  type KernelConfig,
  type KernelVersion,
} from '../kernel-config';
import type { ToolchainChoice } from '../toolchain/candidates';
import { findToolchain } from '../toolchain/find-toolchain';
import type { Toolchain } from '../toolchain/toolchain';
import { generatedFolders } from './built-files';
import { findHostTools } from './host-tools';
import {
  givenOptions,
  isDecisive,
  makefileOptions,
  numberOptions,
  optionDifferences,
  type OptionDifference,
} from './kernel-options';
import { checkKernelTree } from './kernel-tree';
import { layoutDifferences } from './layout-check';
import { mergeTree, type MergedHeaders } from './merged-tree';
import { entryMakefile, makeInTree, toolWords, type TreeBuild } from './tree-make';
import { treeState } from './tree-state';

export interface KernelSourceOptions {
  /** The kernel source, absolute. */
  tree: string;
  /** The folder for all that is made of it. */
  path: string;
  headersPath: string;
  /** The sha256 of the archive. */
  headersDigest: string;
  /** The kernel's exports in five columns, where they are known. */
  symversPath?: string | undefined;
  choice?: ToolchainChoice;
  make: string;
  /** Told when there is something to wait for, with the reason. */
  onPreparing: (why: 'first' | 'changed') => void;
  environment?: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/** A kernel source that modules can be built with. */
export interface PreparedSource {
  /** `make -C` here, as in a kernel's own build folder. */
  kdirPath: string;
  arch: KernelArch;
  version: KernelVersion;
  toolchain: Toolchain;
  /** What differs between source and device, in sentences. */
  notes: string[];
}

/** Of the device's kernel, and of this machine. */
interface Inputs extends KernelSourceOptions {
  config: KernelConfig;
  arch: KernelArch;
  version: KernelVersion;
  srcArch: string;
  environment: NodeJS.ProcessEnv;
}

/** What `prepared.json` holds, written last: without it a preparation is not whole. */
interface PreparedRecord {
  prepared: 1;
  /** Of all that the preparation depends on. */
  state: string;
  notes: string[];
}

/**
 * Makes a kernel source ready for building modules for a device's kernel: the
 * device's headers and options are laid over it, and its own `modules_prepare`
 * runs, in folders of kh's. The source is not written to. What was prepared is
 * kept, until the source, the headers or the tools change.
 *
 * @throws KhError BUILD_BAD_SOURCE, BUILD_BAD_HEADERS, BUILD_BAD_PATH, BUILD_UNSUPPORTED, TOOLCHAIN_MISSING,
 *   BUILD_TOOLCHAIN_MISMATCH, USAGE, STORE_*; or the signal's reason
 */
export async function prepareKernelSource(options: KernelSourceOptions): Promise<PreparedSource> {
  const { tree, path, headersPath, choice, signal, environment = process.env } = options;
  refuseUnusablePath(path);
  const config = readKernelConfig(headersPath);
  const arch = kernelArch(config);
  const version = kernelVersion(headersPath);
  const treeNotes = checkKernelTree(tree, version);
  refuseUnsupported(config, version, { withSource: true });
  const request = { config, arch, signal, environment, ...(choice && { choice }) };
  const toolchain = await findToolchain(request);
  const host = await findHostTools(config, toolchain, { signal, environment });
  const srcArch = sourceArch(arch);
  const inputs: Inputs = { ...options, config, arch, version, srcArch, environment };
  const build: TreeBuild = {
    ...{ make: options.make, source: join(path, 'tree'), kdirPath: join(path, 'kdir'), environment, signal },
    words: toolWords(arch, toolchain, host),
  };
  const state = stateOf(inputs, build, toolchain);
  try {
    const kept = await readRecord(path);
    const record = kept?.state === state ? kept : await prepareAnew(inputs, build, state);
    await linkSymvers(build.kdirPath, options.symversPath);
    const notes = [...toolchain.notes, ...treeNotes, ...record.notes];
    return { kdirPath: build.kdirPath, arch, version, toolchain, notes };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw diskError(error, path);
  }
}

function stateOf(
  { tree, headersDigest, srcArch }: Inputs,
  { words }: TreeBuild,
  toolchain: Toolchain,
): string {
  const tools = [...words, toolchain.compiler.text, toolchain.linker.text];
  const parts = ['form 1', tree, headersDigest, ...tools, treeState(tree, srcArch)];
  return createHash('sha256').update(parts.join('\0')).digest('hex');
}

/** The story of a preparation. Whatever was there before goes first. */
async function prepareAnew(inputs: Inputs, build: TreeBuild, state: string): Promise<PreparedRecord> {
  const { path, version, signal } = inputs;
  const before = await readRecord(path);
  inputs.onPreparing(before === undefined ? 'first' : 'changed');
  await rm(path, { recursive: true, force: true });
  const headers = await mergeTree({ ...inputs, path: build.source, signal });
  await mkdir(build.kdirPath, { recursive: true });

  const differences = await configure(inputs, build);
  await makeInTree(build, ['modules_prepare']);
  await refuseOtherLayout(inputs, build);
  await overlayGenerated(inputs, build);
  await writeFile(join(build.kdirPath, 'include/config/kernel.release'), `${version.release}\n`);
  await writeFile(join(build.kdirPath, 'GNUmakefile'), entryMakefile(build));

  const notes = [...headerNotes(headers), ...optionNotes(differences)];
  const record: PreparedRecord = { prepared: 1, state, notes };
  await writeFile(join(path, RECORD), `${JSON.stringify(record)}\n`);
  return record;
}

/**
 * Has Kconfig work out the source's options from the device's, then puts the
 * device's own in their place. They are newer than `.config`, so that make
 * does not make them again.
 */
async function configure(inputs: Inputs, build: TreeBuild): Promise<OptionDifference[]> {
  const { headersPath, config, path } = inputs;
  const { kdirPath } = build;
  const autoconf = await readFile(join(headersPath, AUTOCONF), 'utf8');
  const given = join(path, 'device.config');
  const askKconfig = async (numbers: ReadonlySet<string>): Promise<KernelConfig> => {
    await writeFile(given, givenOptions(autoconf, numbers));
    await makeInTree(build, [`KCONFIG_ALLCONFIG=${given}`, 'allnoconfig', 'syncconfig']);
    return parseAutoconf(await readFile(join(kdirPath, AUTOCONF), 'utf8'));
  };
  let source = await askKconfig(new Set());
  const numbers = numberOptions(optionDifferences(config, source));
  if (numbers.size > 0) source = await askKconfig(numbers);

  const differences = optionDifferences(config, source);
  refuseOtherOptions(inputs, differences);
  await writeFile(join(kdirPath, AUTOCONF), autoconf);
  const autoConf = join(kdirPath, 'include/config/auto.conf');
  await writeFile(autoConf, makefileOptions(await readFile(autoConf, 'utf8'), differences));
  return differences;
}

const AUTOCONF = 'include/generated/autoconf.h';
const RECORD = 'prepared.json';

function refuseOtherOptions({ tree, version }: Inputs, differences: OptionDifference[]): void {
  const decisive = differences.filter(isDecisive);
  if (decisive.length === 0) return;
  throw new KhError('BUILD_BAD_SOURCE', {
    message: `${tree} cannot be configured as ${version.release} is: ${decisive.map(optionText).join(', ')}`,
    hint: 'A module built with it would be refused, or bring the kernel down. It takes the source of this very kernel; or leave out --kernel-source.',
    details: { options: decisive },
  });
}

async function refuseOtherLayout({ headersPath, tree, version }: Inputs, build: TreeBuild): Promise<void> {
  const differences = await layoutDifferences(headersPath, build.kdirPath);
  const [first] = differences;
  if (first === undefined) return;
  throw new KhError('BUILD_BAD_SOURCE', {
    message: `structures of ${tree} are not laid out as those of ${version.release}: ${first.name} is ${first.source} there and ${first.device} on the device`,
    hint: 'It takes the source of this very kernel; or leave out --kernel-source.',
    details: { differences },
  });
}

/** What the device's build generated wins over what this one did: the release, for one. */
async function overlayGenerated({ headersPath, srcArch }: Inputs, { kdirPath }: TreeBuild): Promise<void> {
  for (const folder of generatedFolders(srcArch)) {
    const from = join(headersPath, folder);
    if (existsSync(from))
      await cp(from, join(kdirPath, folder), { recursive: true, dereference: true, force: true });
  }
}

function headerNotes({ replaced, added }: MergedHeaders): string[] {
  const count = replaced.length + added.length;
  if (count === 0) return [];
  const names = [...replaced, ...added];
  return [
    `${count} ${count === 1 ? 'header is' : 'headers are'} the device's: the source has other ones, or none (${someOf(names)}).`,
  ];
}

function optionNotes(differences: OptionDifference[]): string[] {
  if (differences.length === 0) return [];
  return [
    `The source does not come to all of the device's options; modules are built with the device's (${someOf(differences.map(optionText))}).`,
  ];
}

function optionText({ name, device = 'off', source = 'off or unknown' }: OptionDifference): string {
  return `CONFIG_${name} is ${device} on the device and ${source} in the source`;
}

function someOf(texts: string[]): string {
  const shown = texts.slice(0, 5).join(', ');
  return texts.length > 5 ? `${shown}, and ${texts.length - 5} more` : shown;
}

async function readRecord(path: string): Promise<PreparedRecord | undefined> {
  try {
    const record: unknown = JSON.parse(await readFile(join(path, RECORD), 'utf8'));
    const known =
      typeof record === 'object' && record !== null && 'prepared' in record && record.prepared === 1;
    return known ? (record as PreparedRecord) : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function linkSymvers(kdirPath: string, symversPath: string | undefined): Promise<void> {
  const path = join(kdirPath, 'Module.symvers');
  await rm(path, { force: true });
  if (symversPath !== undefined) await symlink(symversPath, path);
}
