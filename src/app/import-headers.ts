import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Manifest } from '../archive/manifest';
import { receiveArchive } from '../archive/receive-archive';
import { chunksOf } from '../core/byte-source';
import { diskError } from '../core/disk-error';
import { isErrno, KhError } from '../core/errors';
import type { Verdict } from '../core/events';
import type { Kernel } from '../device/probe';
import { isConfigOf } from '../kbuild/image/embedded-config';
import { parseAutoconf } from '../kbuild/kernel-config';
import { addArchive, findArchive, treeIsSound, type StoredArchive } from '../store/archives';
import { diskName } from '../store/disk-name';
import { withLock } from '../store/lock';
import { createStage, removeTree } from '../store/stage';
import { findWorkspaces, writeWorkspace, type Workspace, type WorkspaceRecord } from '../store/workspaces';
import type { Context } from './context';
import { previousWorkspace } from './current-workspace';
import { openImportSource, type ImportFrom, type ImportSource } from './import-source';
import { inspectReceived, judge, warnOfDanglingLinks } from './judge-archive';
import { kernelOf } from './kernel-workspace';
import { openManifest, type ManifestOptions, type ManifestRule } from './open-manifest';
import { recoverSymvers } from './recover-symvers';
import { keepReadings, readReadings } from './symvers-readings';
import { khVersion } from './version';
import { isOf } from './workspaces';

export interface ImportOptions extends ManifestOptions {
  /** The device that they are for: its serial number, or any name. */
  device?: string;
  /** The release that the archive has to be of. */
  release?: string;
  /** The kernel's `.config`. */
  configPath?: string;
  /** The `Module.symvers` of the kernel's build. */
  symversPath?: string;
  /** Extract again, whatever is here already. */
  force: boolean;
}

/** A workspace that was made without a device. */
export interface ImportedHeaders {
  workspace: string;
  /** The extracted tree: `include/` and `arch/` are in it. */
  headers: string;
  /** The name in the store: of the device, or `imported` where none was named. */
  device: string;
  release: string;
  /** `uname -v`, where it is known. */
  version?: string;
  machine: string;
  arch: string;
  /** Of the archive. */
  bytes: number;
  md5: string;
  sha256: string;
  danglingLinks: number;
  /** Whether the archive was in the store before. */
  known: boolean;
  /** Whether the kernel's `.config` came with it. */
  config: boolean;
  /** How many exported symbols are known. */
  symbols?: number;
  verdict: Verdict;
}

/** Stands in the store where a device's name does. */
export const NO_DEVICE = 'imported';

/**
 * Makes a workspace of an archive on this machine, or in an image: verified as
 * a pulled one is, and in the same place of the store. A pull from a device
 * with this kernel transfers nothing then.
 *
 * @throws KhError as `openImportSource`; ARCHIVE_*, VERIFY_*, MANIFEST_*, BUILD_BAD_SYMVERS, USAGE, STORE_*
 */
export async function importHeaders(
  from: ImportFrom,
  options: ImportOptions,
  context: Context,
): Promise<ImportedHeaders> {
  const rule = await openManifest(options);
  const config = options.configPath === undefined ? undefined : await readNamed(options.configPath);
  await using source = await openImportSource(from, context);
  const { archive, verdict, kernel, known } = await obtain(source, options, rule, context);
  const tree = await describeTree(archive.treePath);
  if (config !== undefined && !isConfigOf(config, tree.autoconf))
    throw foreignConfig(options.configPath ?? '');
  const record = await describe(
    source,
    options,
    archive,
    verdict,
    { ...kernel, ...machineOf(tree) },
    context,
  );
  const kept = config ?? source.config;
  const workspace = await writeWorkspace(context.store, record, kept === undefined ? {} : { config: kept });
  const symbols = await keepSymbols(workspace, source, options, context);
  return result(workspace, { known, config: kept !== undefined, symbols });
}

/** What was found of a kernel before its architecture is looked at. */
type KernelName = Pick<Kernel, 'release' | 'version'>;

interface Obtained {
  archive: StoredArchive;
  verdict: Verdict;
  kernel: KernelName;
  known: boolean;
}

/** The archive in the store; imports of one archive wait for each other. */
async function obtain(
  source: ImportSource,
  options: ImportOptions,
  rule: ManifestRule,
  context: Context,
): Promise<Obtained> {
  const { store, signal } = context;
  const warn = (message: string) => context.emit({ type: 'warning', message });
  const sha256 = await digestOf(source, context);
  const work = async (): Promise<Obtained> => {
    const known = options.force ? undefined : await findArchive(store, { sha256 });
    if (known !== undefined && (await treeIsSound(store, sha256))) {
      return { archive: known, known: true, ...judgeNamed(known, source, options, rule, warn) };
    }
    await using stage = await createStage(store);
    const { partPath, treePath } = stage;
    const { archive: bytes } = source;
    const where = {
      partPath,
      treePath,
      folderMode: store.modes.treeFolder,
      limits: context.limits,
      signal,
      expectedBytes: bytes.size,
    };
    const facts = await inspectReceived(stage, await receiveArchive(chunksOf(bytes), where));
    const judged = judgeNamed(facts, source, options, rule, warn);
    warnOfDanglingLinks(facts, context.emit);
    const archive = await addArchive(store, stage, facts, { anew: options.force });
    return { archive, known: known !== undefined, ...judged };
  };
  return withLock(store, `import-${sha256.slice(0, 32)}`, work, { signal });
}

async function digestOf({ archive }: ImportSource, { limits, signal }: Context): Promise<string> {
  const sha256 = createHash('sha256');
  // What is longer is refused as it is received.
  for await (const chunk of chunksOf(archive, 0, Math.min(archive.size, limits.archiveBytes))) {
    signal.throwIfAborted();
    sha256.update(chunk);
  }
  return sha256.digest('hex');
}

/** Throws VERIFY_RELEASE, and as `checkManifest`. */
function judgeNamed(
  facts: { release: string; md5: string; sha256: string },
  source: ImportSource,
  options: ImportOptions,
  rule: ManifestRule,
  warn: (message: string) => void,
): { verdict: Verdict; kernel: KernelName } {
  const { release } = facts;
  const compared = [options.release, source.release].filter((one) => one !== undefined);
  const other = compared.find((one) => one !== release);
  if (other !== undefined) throw otherRelease(release, other, other === options.release);
  const version = source.version ?? listedVersion(rule.manifest, facts) ?? '';
  const kernel = { release, version, machine: '', arch: '', bootId: undefined };
  const checks: Verdict['checks'] = [
    'xz',
    'required-files',
    ...(compared.length > 0 ? (['release'] as const) : []),
  ];
  return { verdict: judge(checks, facts, kernel, rule, warn), kernel: { release, version } };
}

/** An archive alone does not tell its build's version; the lab's manifest may. */
function listedVersion(
  manifest: Manifest | undefined,
  archive: { release: string; sha256: string },
): string | undefined {
  if (manifest?.form !== 'lab') return undefined;
  const { release, sha256 } = archive;
  return manifest.kernels.find((one) => one.release === release && one.sha256 === sha256)?.version;
}

interface Tree {
  autoconf: string;
  /** The folder below `arch/`. */
  arch: string;
}

async function describeTree(treePath: string): Promise<Tree> {
  try {
    const autoconf = await readFile(join(treePath, 'include/generated/autoconf.h'), 'latin1');
    const [arch = ''] = await readdir(join(treePath, 'arch'));
    return { autoconf, arch };
  } catch (error) {
    throw diskError(error, treePath);
  }
}

/** As `uname -m` says on such a kernel. */
function machineOf({ autoconf, arch }: Tree): { machine: string; arch: string } {
  const is64 = parseAutoconf(autoconf).isOn('64BIT');
  const machines: Record<string, string> = {
    arm64: 'aarch64',
    x86: is64 || parseAutoconf(autoconf).isOn('X86_64') ? 'x86_64' : 'i686',
    arm: 'armv7l',
    riscv: is64 ? 'riscv64' : 'riscv32',
  };
  return { machine: machines[arch] ?? arch, arch };
}

async function describe(
  source: ImportSource,
  { device }: ImportOptions,
  archive: StoredArchive,
  verdict: Verdict,
  kernel: Omit<Kernel, 'bootId'>,
  { store, emit }: Context,
): Promise<WorkspaceRecord> {
  const owner = await ownerOf(device, store);
  const previous = (await previousWorkspace(store, owner.name, kernel.release))?.record;
  const { sha256, md5, bytes } = archive;
  const same = previous?.archive.sha256 === sha256 ? previous : undefined;
  const now = new Date().toISOString();
  if (previous !== undefined && same === undefined) {
    const message = `${owner.name} ${kernel.release} had other headers (sha256 ${previous.archive.sha256.slice(0, 12)}…): they are replaced`;
    emit({ type: 'warning', message });
  }
  const known = same !== undefined && (kernel.version === '' || kernel.version === same.kernel.version);
  return {
    device: owner,
    kernel: known ? same.kernel : kernel,
    headers: known ? same.headers : { path: source.path, origin: source.origin, bytes },
    archive: { sha256, md5, bytes },
    verdict,
    danglingLinks: archive.danglingLinks.length,
    pulledAt: same?.pulledAt ?? now,
    checkedAt: now,
    kh: khVersion(),
  };
}

/** A device that is known by that name goes on as it is; another is made, to be met later. */
async function ownerOf(
  device: string | undefined,
  store: Context['store'],
): Promise<WorkspaceRecord['device']> {
  if (device === undefined) return { name: NO_DEVICE, serialno: '', serials: [] };
  const known = (await findWorkspaces(store, {})).filter((workspace) => isOf(workspace, device));
  const [latest] = known.toSorted((a, b) => b.record.checkedAt.localeCompare(a.record.checkedAt));
  return latest?.record.device ?? { name: diskName(device), serialno: device, serials: [] };
}

/** Beside the workspace, what the image and the named file tell of the kernel's exports. */
async function keepSymbols(
  workspace: Workspace,
  { path, symvers }: ImportSource,
  { symversPath }: ImportOptions,
  context: Context,
): Promise<number | undefined> {
  if (symvers === undefined && symversPath === undefined) return undefined;
  const kernel = kernelOf(workspace);
  const readings = await readReadings(kernel);
  if (symvers !== undefined && readings.image === undefined) {
    const image = { sources: [{ name: path, entries: symvers }], notes: [] };
    await keepReadings(context.store, kernel, { ...readings, image });
    // What was made of less is made again.
    await removeTree(join(workspace.path, 'symvers.json'));
  }
  const options = {
    privilege: 'none',
    force: false,
    ...(symversPath === undefined ? {} : { symversPath }),
  } as const;
  return (await recoverSymvers({ kernel }, options, context)).symbols;
}

function result(
  { path, headersPath, record }: Workspace,
  { symbols, ...found }: { known: boolean; config: boolean; symbols: number | undefined },
): ImportedHeaders {
  const { device, kernel, archive, danglingLinks, verdict } = record;
  const { release, version, machine, arch } = kernel;
  return {
    workspace: path,
    headers: headersPath,
    device: device.name,
    release,
    ...(version === '' ? {} : { version }),
    machine,
    arch,
    ...archive,
    danglingLinks,
    ...found,
    ...(symbols === undefined ? {} : { symbols }),
    verdict,
  };
}

async function readNamed(file: string): Promise<Buffer> {
  const path = resolve(file);
  try {
    return await readFile(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR')) throw error;
    throw new KhError('USAGE', { message: `cannot read ${path}: ${error.code}`, cause: error });
  }
}

function foreignConfig(path: string): KhError {
  return new KhError('USAGE', {
    message: `${path} is not the configuration of this kernel: the archive's autoconf.h has other options`,
    hint: 'Give the .config that the kernel was built with, or leave out --config: builds go by autoconf.h.',
  });
}

function otherRelease(archive: string, other: string, asked: boolean): KhError {
  return new KhError('VERIFY_RELEASE', {
    message: `the archive says it was made for kernel ${archive}, but ${asked ? `${other} was asked for` : `it is in the image of ${other}`}`,
    hint: 'Modules built against headers of another kernel would be refused or misbehave.',
    details: { expected: other, found: archive },
  });
}
