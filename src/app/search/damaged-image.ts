import { KhError } from '../../core/errors';

/** What to do about a headers archive that is there, but not whole. */
export const DAMAGED_HINT =
  'The image is cut off or damaged; or it is a file system that keeps the file in pieces: then take the file out of it and carve that.';

/** The failure of an image that cannot be unpacked. Those who build with one get other advice. */
export function damagedImage({ reason, details, cause }: KhError): KhError {
  return new KhError('ARCHIVE_CORRUPT', {
    message: reason,
    hint: 'It is cut off or damaged: get it anew, and compare its size and digest. What is too large to be unpacked here, unpack first.',
    details,
    cause,
  });
}

/** Whether an image is not what it seems to be: no failure of the search, and none of this machine. */
export function isBadImage(error: unknown): error is KhError {
  return error instanceof KhError && error.code === 'BUILD_BAD_IMAGE';
}

/** Whether an archive is not what it seems to be. */
export function isBadArchive(error: unknown): error is KhError {
  return error instanceof KhError && error.code.startsWith('ARCHIVE_');
}
