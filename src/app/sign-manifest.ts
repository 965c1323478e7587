import { resolve } from 'node:path';
import {
  checkSignatures,
  formatSignatures,
  LARGEST_MANIFEST,
  parseManifest,
  requireSignature,
  signaturePath,
  signaturesOf,
  signBytes,
  type CheckedSignature,
  type ManifestKey,
} from '../archive/manifest';
import { KhError } from '../core/errors';
import { replaceFile } from '../core/replace-file';
import type { Work } from '../core/work';
import type { Store } from '../store/layout';
import { readSigningKeys, type SigningKeys } from './manifest-keys';
import { missing, readIfThere, readSigned, readSignatures } from './open-manifest';
import { withManifestLock } from './manifests';

/** A manifest, and the signatures beside it. */
export interface SignedManifest {
  path: string;
  signaturePath: string;
  signatures: CheckedSignature[];
}

/**
 * Signs a manifest as it is: the signatures go into `FILE.sig`. Those of other
 * keys stay, as long as they are of the same bytes.
 *
 * @param options.expires ISO time until which the signature counts
 * @throws KhError USAGE where a file is missing or a key can't be used; MANIFEST_UNUSABLE, as nothing is signed that
 *   nobody could read; STORE_* where it can't be written
 */
export async function signManifest(
  file: string,
  { expires, ...signing }: SigningKeys & { expires?: string },
  { store, emit }: Pick<Work, 'emit'> & { store: Store },
): Promise<SignedManifest> {
  const path = resolve(file);
  const keys = distinct(await readSigningKeys(signing, emit));
  return withManifestLock(store, path, async () => {
    const now = new Date();
    const bytes = (await readIfThere(path, LARGEST_MANIFEST)) ?? missing(path);
    parseManifest(bytes.toString('utf8'), path);
    const made = keys.map((key) =>
      signBytes(bytes, key, { now, ...(expires === undefined ? {} : { expires }) }),
    );
    const others = signaturesOf(bytes, await readSignatures(path)).filter(
      ({ key }) => !made.some((one) => one.key === key),
    );
    const signatures = [...others, ...made];
    replaceFile(signaturePath(path), formatSignatures(signatures));
    return {
      path,
      signaturePath: signaturePath(path),
      signatures: checkSignatures(bytes, signatures, keys, now),
    };
  });
}

/** A key that is named twice signs once. */
function distinct(keys: readonly ManifestKey[]): ManifestKey[] {
  return [...new Map(keys.map((key) => [key.id, key])).values()];
}

/**
 * Whether a manifest is signed by one of these keys.
 *
 * @throws KhError MANIFEST_UNTRUSTED saying why not; USAGE, MANIFEST_UNUSABLE
 */
export async function verifyManifest(file: string, trustedKeys: readonly string[]): Promise<SignedManifest> {
  if (trustedKeys.length === 0) {
    throw new KhError('USAGE', {
      message: 'no key is named to check signatures with',
      hint: 'Name public keys with --trusted-key, or in KH_TRUSTED_KEYS.',
    });
  }
  const { path, signatures } = await readSigned(file, trustedKeys);
  requireSignature(path, signatures);
  return { path, signaturePath: signaturePath(path), signatures };
}
