import { KhError } from '../../core/errors';

/** The error of a manifest that cannot be used; `why` completes "the manifest … ". */
export function unusable(path: string, why: string, hint?: string, cause?: unknown): KhError {
  return new KhError('MANIFEST_UNUSABLE', {
    message: `the manifest ${path} ${why}`,
    hint: hint ?? 'docs/manifests.md describes the three forms that kh reads.',
    details: { path },
    cause,
  });
}
