import { KhError } from '../../core/errors';
import type { Digests, ExpectedDigests } from './types';

/** Whether an entry vouches for nothing any more. */
export function hasExpired<T extends { expires?: string }>(
  entry: T | undefined,
  now: Date,
): entry is T & { expires: string } {
  return entry?.expires !== undefined && Date.parse(entry.expires) <= now.getTime();
}

/**
 * Compares an archive's digests with those that a manifest expects; every one
 * that it gives has to be right.
 *
 * @returns the strongest digest that was compared
 * @throws KhError VERIFY_MANIFEST with both digests in the message
 */
export function checkAgainst(expected: ExpectedDigests, found: Digests, path: string): 'md5' | 'sha256' {
  for (const kind of ['sha256', 'md5'] as const) {
    const digest = expected[kind];
    if (digest === undefined || digest === found[kind]) continue;
    throw new KhError('VERIFY_MANIFEST', {
      message: `the archive's ${kind} is ${found[kind]}, but ${path} (${expected.entry}) expects ${digest}`,
      hint: 'Either the manifest is of another build, or this kernel is not the one that you trust. Nothing new was kept.',
      details: { manifest: path, digest: kind, expected: digest, found: found[kind] },
    });
  }
  return expected.sha256 === undefined ? 'md5' : 'sha256';
}
