import type { ManifestCheck } from '../app/manifests';
import { EXIT_CODES } from '../core/errors';
import type { RunStatus } from './envelope';

/**
 * How `kh manifest check` ends: as a pull with the same manifest would.
 *
 * @param required whether an archive without an entry that counts is a failure
 */
export function manifestStatus(checks: ManifestCheck[], required: boolean): RunStatus {
  const found = new Set(checks.map(({ status }) => status));
  if (found.has('mismatch') || found.has('revoked')) {
    return { status: 'failed', exitCode: EXIT_CODES.VERIFY_MANIFEST };
  }
  if (required && (found.has('unlisted') || found.has('expired')))
    return { status: 'failed', exitCode: EXIT_CODES.VERIFY_UNLISTED };
  return { status: 'ok', exitCode: 0 };
}
