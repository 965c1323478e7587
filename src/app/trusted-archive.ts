import { proveHeaders } from '../archive/carve/prove-headers';
import type { LabEntry } from '../archive/manifest';
import { openFileSource } from '../core/byte-source';
import { KhError } from '../core/errors';
import type { ArchiveLimits } from '../core/limits';
import type { Workspace } from '../store/workspaces';

/** An archive that someone trusts: what the lab's manifest is to say of it. */
export type TrustedArchive = Pick<LabEntry, 'release' | 'version' | 'md5' | 'sha256' | 'bytes'>;

/** The archive of a workspace, for the very build of the kernel that it is of, where that is known. */
export function archiveOfWorkspace({ record: { kernel, archive } }: Workspace): TrustedArchive {
  const { release, version } = kernel;
  return { release, ...(version === '' ? {} : { version }), ...archive };
}

/**
 * The archive in a file, as a kernel build, `kh pack` and `kh carve` leave it.
 * It is decoded to its end; its release is read out of it. It does not know
 * `uname -v`, so its entry is for every build of that release.
 *
 * @param release what its release has to be
 * @throws KhError USAGE where it can't be read; VERIFY_RELEASE; ARCHIVE_*; or the signal's reason
 */
export async function archiveOfFile(
  path: string,
  { limits, signal }: { limits: ArchiveLimits; signal: AbortSignal },
  release?: string,
): Promise<TrustedArchive> {
  await using source = await openFileSource(path);
  const headers = await proveHeaders(source, { limits, signal });
  if (headers?.release === undefined) {
    throw new KhError('ARCHIVE_INCOMPLETE', {
      message: `${path} is no archive of kernel headers: no release is in it`,
      hint: 'Take the kheaders.tar.xz of a kernel build, or what `kh carve` writes.',
      details: { path },
    });
  }
  if (release !== undefined && release !== headers.release) {
    throw new KhError('VERIFY_RELEASE', {
      message: `${path} was made for kernel ${headers.release}, not ${release}`,
      details: { path, expected: release, found: headers.release },
    });
  }
  const { md5, sha256 } = headers;
  return { release: headers.release, md5, sha256, bytes: source.size };
}
