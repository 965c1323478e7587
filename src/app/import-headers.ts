import { holdsKernelBuild } from '../archive/kernel-build';
import type { Manifest } from '../archive/manifest';
import { KhError } from '../core/errors';
import type { Verdict } from '../core/events';
import { readNamedFile } from '../core/read-named-file';
import type { Kernel } from '../device/probe';
import { isConfigOf } from '../kbuild/image/embedded-config';
import { writeWorkspace, type Workspace } from '../store/workspaces';
import type { Context } from './context';
import { describeTree, machineOf } from './headers-machine';
import { importArchive, type ImportedArchive, type ImportRules } from './import-archive';
import { importKernelBuild, type ImportedKernelBuild, type PairedHeaders } from './import-kernel-build';
import { importRecord } from './import-record';
import { openImportSource, type ImportFrom, type ImportSource } from './import-source';
import { keepSymbols } from './import-symbols';
import { inspectReceived, judge, warnOfDanglingLinks } from './judge-archive';
import { openManifest, type ManifestOptions, type ManifestRule } from './open-manifest';
import { readNamedSymvers } from './recover-symvers';

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
  /** The archive with the kernel's build files, where it is known. */
  kernelBuild?: { sha256: string; md5: string; bytes: number };
  /** How many exported symbols are known. */
  symbols?: number;
  verdict: Verdict;
}

/**
 * Makes a workspace of an archive on this machine, in an image or in a pack:
 * verified as a pulled one is, and in the same place of the store. A pull from
 * a device with this kernel transfers nothing then.
 *
 * @throws KhError as `openImportSource`; ARCHIVE_*, VERIFY_*, MANIFEST_*, BUILD_BAD_SYMVERS, USAGE, STORE_*
 */
export async function importHeaders(
  from: ImportFrom,
  options: ImportOptions,
  context: Context,
): Promise<ImportedHeaders> {
  const { store } = context;
  const rule = await openManifest(options);
  const { configPath, symversPath } = options;
  const named = configPath === undefined ? undefined : await readNamedFile(configPath);
  const symversEntries = symversPath === undefined ? undefined : await readNamedSymvers(symversPath);
  await using source = await openImportSource(from, context);
  const { archive, known, judged } = await obtain(source, options, rule, context);
  const tree = await describeTree(archive.treePath);
  if (named !== undefined && !isConfigOf(named, tree.autoconf)) throw foreignConfig(configPath ?? '');
  const build = await obtainBuild(source, { archive, tree }, options, rule, context);
  const { verdict, kernel } = judged;
  const imported = {
    archive,
    kernelBuild: build?.archive,
    verdict,
    kernel: { ...kernel, ...machineOf(tree) },
  };
  const record = await importRecord(source, options.device, imported, context);
  const config = named ?? build?.config ?? source.config;
  const workspace = await writeWorkspace(store, record, config === undefined ? {} : { config });
  const symvers = { symversPath: symversPath ?? build?.symversPath, symversEntries };
  const symbols = await keepSymbols(workspace, source, symvers, context);
  return result(workspace, { known, config: config !== undefined, symbols });
}

/** What was found of a kernel before its architecture is looked at. */
interface Judged {
  verdict: Verdict;
  kernel: Pick<Kernel, 'release' | 'version'>;
}

function obtain(
  source: ImportSource,
  options: ImportOptions,
  rule: ManifestRule,
  context: Context,
): Promise<ImportedArchive<Judged>> {
  const warn = (message: string) => context.emit({ type: 'warning', message });
  const rules: ImportRules<Judged> = {
    force: options.force,
    isOfKind: async (treePath) => !(await holdsKernelBuild(treePath)),
    inspect: async (stage, received) => {
      if (await holdsKernelBuild(stage.treePath)) throw buildFilesAlone(source.path);
      const facts = await inspectReceived(stage, received);
      warnOfDanglingLinks(facts, context.emit);
      return facts;
    },
    judge: (facts) => {
      refuseOtherBytes(source, facts);
      return Promise.resolve(judgeNamed(facts, source, options, rule, warn));
    },
  };
  return importArchive(source.archive, rules, context);
}

/** What came with the headers, where something did. */
async function obtainBuild(
  { kernelBuild }: ImportSource,
  headers: PairedHeaders,
  { force }: ImportOptions,
  { manifest }: ManifestRule,
  context: Context,
): Promise<ImportedKernelBuild | undefined> {
  if (kernelBuild === undefined) return undefined;
  if (manifest !== undefined) {
    const message = `the manifest speaks for the headers, not for ${kernelBuild.name}, which says itself that it belongs to them`;
    context.emit({ type: 'warning', message });
  }
  return importKernelBuild(kernelBuild, headers, force, context);
}

/** Of a pack whose parts are not of one packing, or damaged. */
function refuseOtherBytes({ path, md5 }: ImportSource, found: { md5: string }): void {
  if (md5 === undefined || md5 === found.md5) return;
  throw new KhError('VERIFY_MD5', {
    message: `the headers archive of ${path} has md5 ${found.md5}, but the kheaders.md5 beside it says ${md5}`,
    hint: 'It was damaged or replaced after it was packed: run `kh pack` again.',
    details: { expected: md5, found: found.md5 },
  });
}

/** Throws VERIFY_RELEASE, and as `checkManifest`. */
function judgeNamed(
  facts: { release: string; md5: string; sha256: string },
  source: ImportSource,
  options: ImportOptions,
  rule: ManifestRule,
  warn: (message: string) => void,
): Judged {
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

function result(
  { path, headersPath, record }: Workspace,
  { symbols, ...found }: { known: boolean; config: boolean; symbols: number | undefined },
): ImportedHeaders {
  const { device, kernel, archive, kernelBuild, danglingLinks, verdict } = record;
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
    ...(kernelBuild && { kernelBuild }),
    ...(symbols === undefined ? {} : { symbols }),
    verdict,
  };
}

function buildFilesAlone(path: string): KhError {
  return new KhError('ARCHIVE_INCOMPLETE', {
    message: `${path} holds the build files of a kernel, not its headers`,
    hint: 'They go with the kheaders.tar.xz beside them: name the folder of both with --from-pack.',
  });
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
