import { resolve } from 'node:path';
import {
  checkAgainst,
  checkSignatures,
  hasExpired,
  LARGEST_MANIFEST,
  LARGEST_SIGNATURE_FILE,
  lookUp,
  parseManifest,
  parseSignatures,
  refuseRevoked,
  requireSignature,
  signaturePath,
  type CheckedSignature,
  type Digests,
  type KernelKey,
  type Manifest,
  type ManifestSignature,
} from '../archive/manifest';
import { isErrno, KhError } from '../core/errors';
import type { Verdict } from '../core/events';
import { readBounded } from '../core/read-bounded';
import { readTrustedKeys } from './manifest-keys';

export type { CheckedSignature, Manifest } from '../archive/manifest';

/** What archives are checked against, as a run is told. */
export interface ManifestOptions {
  manifestPath?: string;
  /** Fail where no manifest names this kernel's archive. */
  requireManifest: boolean;
  /** Files and folders of public keys: where there is one, a manifest counts only if it is signed by one of them. */
  trustedKeys?: readonly string[];
}

/** What archives are checked against. */
export interface ManifestRule {
  manifest: Manifest | undefined;
  requireManifest: boolean;
}

/**
 * Reads the manifest to check against, if there is one.
 * @throws KhError as `requireManifest`; USAGE where one is required and none is named
 */
export async function openManifest({
  manifestPath,
  requireManifest: required,
  trustedKeys = [],
}: ManifestOptions): Promise<ManifestRule> {
  if (manifestPath !== undefined) {
    return { manifest: await requireManifest(manifestPath, trustedKeys), requireManifest: required };
  }
  if (!required) return { manifest: undefined, requireManifest: false };
  throw new KhError('USAGE', {
    message: 'a manifest is required, and none is named',
    hint: 'Name it with --manifest FILE, or in KH_MANIFEST.',
  });
}

/**
 * Reads a manifest; where keys are named, only one that they signed.
 *
 * @param trustedKeys files and folders of public keys
 * @throws KhError USAGE where there is no such file, or it or a key can't be read; MANIFEST_UNUSABLE, MANIFEST_UNTRUSTED
 */
export async function requireManifest(file: string, trustedKeys: readonly string[] = []): Promise<Manifest> {
  if (trustedKeys.length === 0) return (await readManifest(resolve(file))) ?? missing(resolve(file));
  const { path, bytes, signatures } = await readSigned(file, trustedKeys);
  requireSignature(path, signatures); // before anything looks into it
  return parseManifest(bytes.toString('utf8'), path);
}

/** A manifest, and what its signatures are worth. */
export interface InspectedManifest {
  manifest: Manifest;
  signatures: CheckedSignature[];
}

/** As `requireManifest`, but signatures that do not count are no failure. */
export async function inspectManifest(
  file: string,
  trustedKeys: readonly string[],
): Promise<InspectedManifest> {
  const { path, bytes, signatures } = await readSigned(file, trustedKeys);
  return { manifest: parseManifest(bytes.toString('utf8'), path), signatures };
}

/** The bytes of a manifest, not looked into, and what its signatures are worth. */
export async function readSigned(
  file: string,
  trustedKeys: readonly string[],
): Promise<{ path: string; bytes: Buffer; signatures: CheckedSignature[] }> {
  const path = resolve(file);
  const trusted = await readTrustedKeys(trustedKeys);
  const bytes = (await readIfThere(path, LARGEST_MANIFEST)) ?? missing(path);
  const signatures = checkSignatures(bytes, await readSignatures(path), trusted, new Date());
  return { path, bytes, signatures };
}

/** The signatures beside a manifest. @throws KhError USAGE where they can't be read; MANIFEST_UNUSABLE */
export async function readSignatures(manifestPath: string): Promise<ManifestSignature[]> {
  const path = signaturePath(manifestPath);
  const bytes = await readIfThere(path, LARGEST_SIGNATURE_FILE);
  return bytes === undefined ? [] : parseSignatures(bytes.toString('utf8'), path);
}

/**
 * Reads a manifest of any form, signed or not.
 *
 * @returns undefined where there is no such file
 * @throws KhError USAGE where it can't be read, MANIFEST_UNUSABLE
 */
export async function readManifest(path: string): Promise<Manifest | undefined> {
  const bytes = await readIfThere(path, LARGEST_MANIFEST);
  return bytes && parseManifest(bytes.toString('utf8'), path);
}

/** The bytes of a manifest or of its signatures. @throws KhError USAGE */
export async function readIfThere(path: string, most: number): Promise<Buffer | undefined> {
  try {
    return await readBounded(path, most);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    if (!isErrno(error, 'EACCES', 'EISDIR', 'ENOTDIR', 'ELOOP')) throw error;
    throw new KhError('USAGE', {
      message: `cannot read the manifest ${path}: ${error.code ?? ''}`,
      cause: error,
    });
  }
}

/** @throws KhError USAGE */
export function missing(path: string): never {
  throw new KhError('USAGE', { message: `there is no manifest ${path}` });
}

/**
 * Checks an archive's digests against the manifest: an archive that was
 * revoked and one that differs are refused; an entry that has expired vouches
 * for nothing, as if there were none.
 *
 * @param warn told of an entry that has expired, where none is required
 * @returns what a verdict says of it; undefined where the manifest does not vouch for this kernel
 * @throws KhError VERIFY_REVOKED; VERIFY_MANIFEST with both digests; VERIFY_UNLISTED and VERIFY_EXPIRED where an
 *   entry is required
 */
export function checkManifest(
  { manifest, requireManifest: required }: ManifestRule,
  kernel: KernelKey,
  digests: Digests,
  { warn, now = new Date() }: { warn: (message: string) => void; now?: Date },
): Verdict['manifest'] {
  if (manifest === undefined) return undefined;
  if (manifest.form === 'lab') refuseRevoked(manifest, digests);
  const expected = lookUp(manifest, kernel);
  if (expected === undefined) {
    if (!required) return undefined;
    throw unlisted(manifest, kernel, digests);
  }
  const digest = checkAgainst(expected, digests, manifest.path);
  if (!hasExpired(expected, now)) return { path: manifest.path, form: manifest.form, digest };
  const { expires } = expected;
  const message = `the entry of ${manifest.path} for ${expected.entry} expired on ${expires.slice(0, 10)}`;
  if (required) {
    throw new KhError('VERIFY_EXPIRED', {
      message,
      hint: 'If the kernel is still to be trusted, add it again with a later date: `kh manifest add`.',
      details: { manifest: manifest.path, release: kernel.release, expires },
    });
  }
  warn(`${message}: the archive counts as unverified`);
  return undefined;
}

function unlisted({ path }: Manifest, { release, version }: KernelKey, digests: Digests): KhError {
  return new KhError('VERIFY_UNLISTED', {
    message: `${path} has no entry for kernel ${release}, and one is required`,
    hint: 'Add it from a workspace that you trust: `kh manifest add`.',
    details: { release, version, ...digests },
  });
}
