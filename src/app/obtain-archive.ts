import { createHash } from 'node:crypto';
import { receiveArchive } from '../archive/receive-archive';
import { KhError } from '../core/errors';
import type { KnownBy, Verdict } from '../core/events';
import { humanBytes } from '../core/human';
import type { HeadersSource } from '../device/headers-source';
import type { Kernel } from '../device/probe';
import { addArchive, archivesOfSize, findArchive, treeIsSound, type StoredArchive } from '../store/archives';
import { withLock } from '../store/lock';
import { createStage } from '../store/stage';
import { bounds } from '../device/bounds';
import type { Context } from './context';
import { inspectReceived, judge, warnOfDanglingLinks } from './judge-archive';
import type { ManifestRule } from './open-manifest';
import { verifyRelease, verifyTransfer } from './verify-archive';

/** How long to wait for another pull of the same archive before doing it alongside: it may hang, ours need not. */
const SHARED_PULL_WAIT = 15_000;

export interface ObtainedArchive {
  archive: StoredArchive;
  /** How the archive was known to be here; undefined where it was transferred. */
  knownBy?: KnownBy;
  verdict: Verdict;
}

export interface Expectation extends ManifestRule {
  force: boolean;
}

/** What each archive in the store has passed. */
const OWN_CHECKS = ['xz', 'required-files', 'release'] as const;

/**
 * The archive of `source`, verified, in the store: found there by the md5
 * that the device computes, or transferred.
 *
 * Pulls of one kernel wait for each other, in this process and in others, so
 * that twenty devices cost one transfer and one extraction.
 */
export async function obtainArchive(
  source: HeadersSource,
  kernel: Kernel,
  expectation: Expectation,
  context: Context,
): Promise<ObtainedArchive> {
  if (expectation.force) return receive(source, kernel, expectation, context);
  const known = await findKnown(source, kernel, expectation, context, 'device-md5');
  return known ?? afterOthers(source, kernel, expectation, context);
}

/** Receives the archive, unless another pull of the same kernel turns out to have done so meanwhile. */
async function afterOthers(
  source: HeadersSource,
  kernel: Kernel,
  expectation: Expectation,
  context: Context,
): Promise<ObtainedArchive> {
  const progress = { entered: false };
  const onWait = () => {
    void source.deviceMd5();
    const why = 'the same archive is being pulled already';
    context.emit({ type: 'pull.waiting', serial: source.access.adb.serial, why });
  };
  const pull = async () => {
    progress.entered = true;
    const known = await findKnown(source, kernel, expectation, context, 'concurrent-pull');
    return known ?? receive(source, kernel, expectation, context);
  };
  try {
    const { signal } = context;
    return await withLock(context.store, pullLockName(source, kernel), pull, {
      signal,
      wait: SHARED_PULL_WAIT,
      onWait,
    });
  } catch (error) {
    const waitedTooLong =
      !progress.entered && !context.signal.aborted && error instanceof KhError && error.code === 'TIMEOUT';
    if (waitedTooLong) return receive(source, kernel, expectation, context);
    throw error;
  }
}

function pullLockName(source: HeadersSource, { release, version }: Kernel): string {
  const build = createHash('sha256')
    .update(`${release}\n${version}\n${source.bytes ?? ''}`)
    .digest('hex');
  return `pull-${build.slice(0, 32)}`;
}

async function findKnown(
  source: HeadersSource,
  kernel: Kernel,
  expectation: Expectation,
  context: Context,
  by: KnownBy,
): Promise<ObtainedArchive | undefined> {
  const { store, emit } = context;
  if (source.bytes !== undefined && (await archivesOfSize(store, source.bytes)).length === 0)
    return undefined;
  const md5 = await source.deviceMd5();
  const archive = md5 === undefined ? undefined : await findArchive(store, { md5 });
  if (archive === undefined || archive.bytes !== (source.bytes ?? archive.bytes)) return undefined;
  const { serial } = source.access.adb;
  if (!(await treeIsSound(store, archive.sha256))) {
    emit({ type: 'warning', serial, message: `the tree ${archive.treePath} is damaged: it is made again` });
    return undefined;
  }
  verifyRelease(serial, kernel.release, archive.release);
  const warn = (message: string) => emit({ type: 'warning', serial, message });
  const verdict = judge(['size', 'device-md5', ...OWN_CHECKS], archive, kernel, expectation, warn);
  emit({ type: 'archive.known', serial, sha256: archive.sha256, by });
  return { archive, knownBy: by, verdict };
}

async function receive(
  source: HeadersSource,
  kernel: Kernel,
  expectation: Expectation,
  context: Context,
): Promise<ObtainedArchive> {
  const { store, signal, emit } = context;
  const { serial } = source.access.adb;
  const start = performance.now();
  await using stage = await createStage(store);
  void source.deviceMd5();
  const received = await receiveArchive(chunksOf(source, context), {
    partPath: stage.partPath,
    treePath: stage.treePath,
    folderMode: store.modes.treeFolder,
    limits: context.limits,
    signal,
    ...(source.bytes === undefined ? {} : { expectedBytes: source.bytes }),
    onBytes: (bytes) => emit({ type: 'pull.progress', serial, bytes, totalBytes: source.bytes ?? bytes }),
  });
  const { md5, sha256, bytes } = received;
  emit({ type: 'archive.received', serial, sha256, md5, bytes, milliseconds: performance.now() - start });
  const transfer = await verifyTransfer(source, received);
  const warn = (message: string) => emit({ type: 'warning', serial, message });
  const verdict = judge([...transfer, ...OWN_CHECKS], received, kernel, expectation, warn);
  const facts = await inspectReceived(stage, received);
  verifyRelease(serial, kernel.release, facts.release);
  emit({ type: 'tree.extracted', serial, entries: facts.entries, bytes: facts.treeBytes });
  warnOfDanglingLinks(facts, emit, serial);
  const archive = await addArchive(store, stage, facts, { anew: expectation.force });
  return { archive, verdict };
}

/** The bytes of the archive; where they stop coming, the error says at which point. */
export async function* chunksOf(
  source: HeadersSource,
  context: Context,
): AsyncGenerator<Buffer, void, undefined> {
  let bytes = 0;
  try {
    for await (const chunk of source.read(bounds(context, `pulling ${source.path}`))) {
      bytes += chunk.length;
      yield chunk;
    }
    if (bytes !== source.bytes) await askIfThere(source, context);
  } catch (error) {
    if (!(error instanceof KhError)) throw error;
    const { code, reason, serial, hint, details, cause } = error;
    const of = source.bytes === undefined ? '' : ` of ${humanBytes(source.bytes)}`;
    const message = `${reason} at ${humanBytes(bytes)}${of}`;
    throw new KhError(code, { message, serial, hint, details: { ...details, bytes }, cause });
  }
}

/** A stream through su carries no status: where it is short, the device may be gone. Throws DEVICE_LOST where it is. */
async function askIfThere(source: HeadersSource, context: Context): Promise<void> {
  await source.access.adb.run('true', bounds(context, `pulling ${source.path}`));
}
