import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { checkAgainst, lookUp, parseManifest, type Manifest } from '../archive/manifest';
import { isErrno, KhError } from '../core/errors';
import type { Verdict } from '../core/events';
import type { Kernel } from '../device/probe';

export type { Manifest } from '../archive/manifest';

/**
 * Reads the manifest to check against, if there is one.
 * @throws KhError as `requireManifest`; USAGE where one is required and none is named
 */
export async function openManifest(options: {
  manifestPath?: string;
  requireManifest: boolean;
}): Promise<Manifest | undefined> {
  if (options.manifestPath !== undefined) return requireManifest(options.manifestPath);
  if (!options.requireManifest) return undefined;
  throw new KhError('USAGE', {
    message: 'a manifest is required, and none is named',
    hint: 'Name it with --manifest FILE, or in KH_MANIFEST.',
  });
}

/** @throws KhError USAGE where there is no such file, or it can't be read; MANIFEST_UNUSABLE */
export async function requireManifest(file: string): Promise<Manifest> {
  const path = resolve(file);
  const manifest = await readManifest(path);
  if (manifest !== undefined) return manifest;
  throw new KhError('USAGE', { message: `there is no manifest ${path}` });
}

/**
 * Reads a manifest of any form.
 *
 * @returns undefined where there is no such file
 * @throws KhError USAGE where it can't be read, MANIFEST_UNUSABLE
 */
export async function readManifest(path: string): Promise<Manifest | undefined> {
  try {
    return parseManifest(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    if (!isErrno(error, 'EACCES', 'EISDIR', 'ENOTDIR')) throw error;
    throw new KhError('USAGE', { message: `cannot read the manifest ${path}: ${error.code}`, cause: error });
  }
}

/**
 * Checks an archive's digests against the manifest.
 *
 * @returns what a verdict says of it; undefined where the manifest does not name this kernel
 * @throws KhError VERIFY_MANIFEST with both digests; VERIFY_UNLISTED where an entry is required and there is none
 */
export function checkManifest(
  manifest: Manifest | undefined,
  kernel: Kernel,
  digests: { md5: string; sha256: string },
  required: boolean,
): Verdict['manifest'] {
  if (manifest === undefined) return undefined;
  const expected = lookUp(manifest, kernel);
  if (expected === undefined) {
    if (!required) return undefined;
    throw new KhError('VERIFY_UNLISTED', {
      message: `${manifest.path} has no entry for kernel ${kernel.release}, and one is required`,
      hint: 'Add it from a workspace that you trust: `kh manifest add`.',
      details: { release: kernel.release, version: kernel.version, ...digests },
    });
  }
  const digest = checkAgainst(expected, digests, manifest.path);
  return { path: manifest.path, form: manifest.form, digest };
}
