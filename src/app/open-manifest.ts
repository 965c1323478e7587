import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { lookUp, parseManifest, type Manifest } from '../archive/manifest';
import { checkAgainst } from '../archive/manifest/check';
import { isErrno, KhError } from '../core/errors';
import type { Verdict } from '../core/events';
import type { Kernel } from '../device/probe';

/** A manifest that was read, and whether an archive that it does not name may pass. */
export interface OpenManifest {
  path: string;
  manifest: Manifest;
}

export interface Digests {
  md5: string;
  sha256: string;
}

/**
 * Reads the manifest to check against.
 * @throws KhError USAGE where the file can't be read, or is required and none is named; MANIFEST_UNUSABLE
 */
export async function openManifest(options: {
  manifestPath?: string;
  requireManifest: boolean;
}): Promise<OpenManifest | undefined> {
  if (options.manifestPath === undefined) {
    if (!options.requireManifest) return undefined;
    throw new KhError('USAGE', {
      message: 'a manifest is required, and none is named',
      hint: 'Name it with --manifest FILE, or in KH_MANIFEST.',
    });
  }
  const path = resolve(options.manifestPath);
  return { path, manifest: parseManifest(await readText(path), path) };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR')) throw error;
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
  open: OpenManifest | undefined,
  kernel: Kernel,
  digests: Digests,
  required: boolean,
): Verdict['manifest'] {
  if (open === undefined) return undefined;
  const expected = lookUp(open.manifest, { release: kernel.release, version: kernel.version });
  if (expected === undefined) {
    if (!required) return undefined;
    throw new KhError('VERIFY_UNLISTED', {
      message: `${open.path} has no entry for kernel ${kernel.release}, and one is required`,
      hint: 'Add it from a workspace that you trust: `kh manifest add`.',
      details: { release: kernel.release, version: kernel.version, ...digests },
    });
  }
  const digest = checkAgainst(expected, digests, open.path);
  return { path: open.path, form: open.manifest.form, digest };
}
