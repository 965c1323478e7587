import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isNativeError } from 'node:util/types';
import { archiveMd5 } from '../archive/manifest';
import { openFileSource } from '../core/byte-source';
import { diskError } from '../core/disk-error';
import { KhError } from '../core/errors';
import { createStage, type Stage } from '../store/stage';
import type { Context } from './context';
import type { ImportSource } from './import-source';
import { HEADERS_ARCHIVE, HEADERS_DIGESTS, packHeaders } from './pack-headers';
import { KERNEL_BUILD_ARCHIVE } from './pack-kernel-build';

/** What `kh pack` wrote, or a kernel build that it can take. */
export interface PackFrom {
  pack: string;
  /** For a build: the time of all members, as `kh pack` takes it. Without any of them it is 1970, so that the same build gives the same bytes. */
  timestamp?: string | undefined;
  epoch?: string | undefined;
}

/**
 * Opens a folder that `kh pack` wrote to. Any other folder is taken for a
 * kernel build: it is packed into the store's staging, which goes with the source.
 *
 * @throws KhError as `packHeaders`; MANIFEST_UNUSABLE, USAGE
 */
export async function openPack(from: PackFrom, context: Context): Promise<ImportSource> {
  const folder = resolve(from.pack);
  if (existsSync(join(folder, HEADERS_ARCHIVE))) return openFolder(folder, folder);
  const stage = await createStage(context.store);
  try {
    const { timestamp } = from;
    const epoch = from.epoch === undefined || from.epoch === '' ? '0' : from.epoch;
    const options = { output: stage.path, timestamp, epoch, force: false, full: true };
    await packHeaders(folder, options, { ...context, openStore: () => Promise.resolve(context.store) });
    const source = await openFolder(stage.path, folder);
    const close = async () => {
      await source[Symbol.asyncDispose]();
      await stage[Symbol.asyncDispose]();
    };
    return { ...source, path: folder, [Symbol.asyncDispose]: close };
  } catch (error) {
    await stage[Symbol.asyncDispose]();
    throw notPackable(ofStage(error, stage), folder);
  }
}

/** @param named the folder that messages are to name */
async function openFolder(folder: string, named: string): Promise<ImportSource> {
  const text = await startOf(join(folder, HEADERS_DIGESTS));
  const md5 = text === undefined ? undefined : archiveMd5(text, join(named, HEADERS_DIGESTS));
  const build = join(folder, KERNEL_BUILD_ARCHIVE);
  const hasBuild = existsSync(build);
  const archive = await openFileSource(join(folder, HEADERS_ARCHIVE));
  return {
    // What an import takes to do the same again.
    path: hasBuild ? named : join(named, HEADERS_ARCHIVE),
    origin: 'file',
    archive,
    ...(md5 === undefined ? {} : { md5 }),
    ...(hasBuild ? { kernelBuild: { path: build, name: join(named, KERNEL_BUILD_ARCHIVE) } } : {}),
    [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose](),
  };
}

/** Four lines are far shorter; who made the folder may have put anything there. @throws KhError USAGE */
async function startOf(path: string): Promise<string | undefined> {
  if (!existsSync(path)) return undefined;
  await using source = await openFileSource(path);
  return (await source.read(0, Math.min(4096, source.size))).toString('latin1');
}

/** What is packed goes where the person said, but for this once. */
function ofStage(error: unknown, { path }: Stage): unknown {
  const isOfDisk = error instanceof KhError && error.code.startsWith('STORE_') && isNativeError(error.cause);
  return isOfDisk ? diskError(error.cause, path) : error;
}

/** What a person meets who names the wrong folder. */
function notPackable(error: unknown, folder: string): unknown {
  if (!(error instanceof KhError && error.code === 'USAGE' && error.details?.['missing'] !== undefined))
    return error;
  const isThere = existsSync(folder);
  if (!isThere || !statSync(folder).isDirectory()) {
    const message = isThere ? `${folder} is no folder` : `there is no folder ${folder}`;
    const hint = 'Name the folder that `kh pack` wrote to; an archive alone is named without --from-pack.';
    return new KhError('USAGE', { message, hint, details: { folder }, cause: error });
  }
  return new KhError('USAGE', {
    message: `${folder} holds no ${HEADERS_ARCHIVE}, and is no kernel build that was prepared`,
    hint: 'Name a folder that `kh pack` wrote to, or the folder of a kernel build after `make modules_prepare` at least.',
    details: { folder },
    cause: error,
  });
}
