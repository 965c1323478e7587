import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  GENERATOR_SCRIPTS,
  generatorOfScript,
  generatorOfVersion,
  type GeneratorTraits,
} from '../archive/pack/generator';
import { headersTar, readContent } from '../archive/pack/headers-tar';
import { inputDigest, kheadersMd5Text } from '../archive/pack/input-digest';
import { listMembers, type Member } from '../archive/pack/members';
import { packArchive } from '../archive/pack/pack-archive';
import { outputError } from '../core/disk-error';
import { makeFolder } from '../core/make-folder';
import { replaceFile } from '../core/replace-file';
import { openBuildTree, type BuildTree } from '../kbuild/build-tree';
import type { Store } from '../store/layout';
import { readIfThere } from '../store/whole-file';
import { digestsOf } from './check-archive';
import type { Context } from './context';
import { addToManifest } from './manifests';
import { readManifest } from './open-manifest';
import { packKernelBuild, type PackedKernelBuild } from './pack-kernel-build';
import { packProgress } from './pack-progress';
import { packTime, timeOfDay } from './pack-time';
import type { TrustedArchive } from './trusted-archive';

export const HEADERS_ARCHIVE = 'kheaders.tar.xz';
export const HEADERS_DIGESTS = 'kheaders.md5';

export interface PackOptions {
  /** The folder to write to. */
  output: string;
  /** Where the source is, where the build does not say. */
  source?: string | undefined;
  /** The kernel's name of the processor, where the build does not say. */
  arch?: string | undefined;
  /** KBUILD_BUILD_TIMESTAMP: the time of all members. */
  timestamp?: string | undefined;
  /** SOURCE_DATE_EPOCH, for where there is no timestamp. */
  epoch?: string | undefined;
  /** Compress on all processors: not as a kernel's build does, so the bytes are no device's. */
  parallel?: boolean;
  /** Also where nothing changed. */
  force: boolean;
  /** Packs what module builds take beyond headers, too. */
  full?: boolean;
  /** A lab's manifest to add the archive to. */
  manifest?: string | undefined;
  /** Why it is trusted, for the manifest. */
  note?: string | undefined;
  /** ISO time until which the manifest's entry counts. */
  expires?: string | undefined;
}

/** What was packed, from where, and where it is. */
export interface PackedHeaders {
  build: string;
  source: string;
  arch: string;
  /** `uname -r` of the kernel. */
  release: string;
  /** How the archive was made, and what said so: the source's script, or the version where there is none. */
  generator: GeneratorTraits & { from: string };
  archive: string;
  /** The file in the form of the kernel's `kernel/kheaders.md5`. */
  digests: string;
  bytes: number;
  md5: string;
  sha256: string;
  entries: number;
  /** Seconds since 1970, of all members; left out for the time of packing. */
  timestamp?: number;
  /** True where nothing had changed and the archive is the one that was there. */
  unchanged: boolean;
  /** The manifest that has it now. */
  manifest?: string;
  /** The second archive, where one was asked for. */
  full?: PackedKernelBuild;
  milliseconds: number;
}

/** The store is opened for a manifest only: build machines often have no home to write to. */
export interface PackContext extends Pick<Context, 'signal' | 'emit' | 'limits'> {
  openStore: () => Promise<Store>;
}

/**
 * Makes the headers archive of a kernel build, as the kernel's own generator
 * does for that version, and the `kheaders.md5` beside it. Does nothing where
 * both are there already, of the same contents packed in the same way. With
 * `full`, an archive of what module builds take beyond headers goes with them.
 *
 * @throws KhError USAGE, BUILD_BAD_SOURCE, BUILD_BAD_HEADERS, MANIFEST_UNUSABLE, XZ_UNAVAILABLE, STORE_*; or the signal's reason
 */
export async function packHeaders(
  folder: string,
  options: PackOptions,
  context: PackContext,
): Promise<PackedHeaders> {
  const start = performance.now();
  const { signal, emit } = context;
  const tree = await openBuildTree(folder, options);
  const generator = await generatorOf(tree);
  const timestamp = await packTime(options.timestamp, options.epoch, signal);
  const members = listMembers(tree, generator);
  const parallel = options.parallel ?? false;
  const recipe = JSON.stringify({ ...generator, timestamp, ...(parallel && { parallel }) });
  const packing = {
    tree,
    generator,
    members,
    recipe,
    parallel,
    mtime: timestamp ?? timeOfDay(),
  };
  const output = await outputFolder(options.output);
  const files = { archive: join(output, HEADERS_ARCHIVE), digests: join(output, HEADERS_DIGESTS) };

  const known = options.force ? undefined : await upToDate(packing, files, signal);
  const packed = known ?? (await pack(packing, files, context));
  const unchanged = known !== undefined;
  const milliseconds = Math.round(performance.now() - start);
  emit({ type: 'pack.finished', serial: HEADERS_ARCHIVE, bytes: packed.bytes, unchanged, milliseconds });
  const full = options.full
    ? await packKernelBuild(tree, { output, headers: packed, timestamp, force: options.force }, context)
    : undefined;
  const { release } = tree.version;
  if (options.manifest !== undefined) await trust({ release, ...packed }, options.manifest, options, context);
  return {
    build: tree.build,
    source: tree.source,
    arch: tree.arch,
    release,
    generator,
    ...files,
    ...packed,
    entries: members.length,
    ...(timestamp === undefined ? {} : { timestamp }),
    unchanged,
    ...(full && { full }),
    ...(options.manifest === undefined ? {} : { manifest: resolve(options.manifest) }),
    milliseconds: Math.round(performance.now() - start),
  };
}

/** Leaves a manifest alone that says the same already: a change would void its signatures. */
async function trust(
  archive: TrustedArchive,
  manifest: string,
  { note, expires }: PackOptions,
  { emit, openStore }: PackContext,
): Promise<void> {
  const asked = { ...(note === undefined ? {} : { note }), ...(expires === undefined ? {} : { expires }) };
  const before = await readManifest(resolve(manifest));
  const isKnown =
    before?.form === 'lab' &&
    before.kernels.some((entry) => isDeepStrictEqual(entry, { ...archive, ...asked, added: entry.added }));
  if (!isKnown) await addToManifest({ emit, store: await openStore() }, manifest, [archive], asked);
}

async function generatorOf({ source, version }: BuildTree): Promise<PackedHeaders['generator']> {
  for (const path of GENERATOR_SCRIPTS) {
    const text = await readIfThere(join(source, path));
    const traits = text === undefined ? undefined : generatorOfScript(text, path);
    if (traits !== undefined) return { ...traits, from: path };
  }
  const { major, minor, patch } = version;
  return { ...generatorOfVersion(version), from: `Linux ${major}.${minor}.${patch}` };
}

async function outputFolder(folder: string): Promise<string> {
  const path = resolve(folder);
  try {
    await makeFolder(path, 0o777);
  } catch (error) {
    throw outputError(error, path);
  }
  return path;
}

interface Packing {
  tree: BuildTree;
  generator: GeneratorTraits;
  members: Member[];
  recipe: string;
  parallel: boolean;
  mtime: number;
}

interface Files {
  archive: string;
  digests: string;
}

interface Packed {
  bytes: number;
  md5: string;
  sha256: string;
}

/** The archive that is there, where it is what packing would give. */
async function upToDate(
  { tree, generator, members, recipe }: Packing,
  { archive, digests }: Files,
  signal: AbortSignal,
): Promise<Packed | undefined> {
  const said = await readIfThere(digests);
  const found = said === undefined ? undefined : await digestsOf(archive, signal);
  if (found === undefined) return undefined;
  const inputs = inputDigest(recipe);
  for (const member of members) inputs.add(member, readContent(tree, member));
  return said === kheadersMd5Text(generator.digests, inputs.result(), found.md5) ? found : undefined;
}

async function pack(
  { tree, generator, members, recipe, parallel, mtime }: Packing,
  { archive, digests }: Files,
  { signal, emit }: PackContext,
): Promise<Packed> {
  const digest = inputDigest(recipe);
  const onEntries = packProgress(emit, HEADERS_ARCHIVE, members.length);
  const tar = headersTar(tree, members, { mtime, digest, onEntries });
  const packed = await packArchive(tar, archive, { signal, parallel });
  replaceFile(digests, kheadersMd5Text(generator.digests, digest.result(), packed.md5));
  return packed;
}
