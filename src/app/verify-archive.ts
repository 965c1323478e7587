import type { ReceivedArchive } from '../archive/receive-archive';
import { KhError } from '../core/errors';
import type { HeadersSource } from '../device/headers-source';

/**
 * Whether what arrived is what the device has: by size, then by md5 where the
 * device has md5sum. Asked before anything else is judged, so that a damaged
 * transfer is not taken for a bad archive.
 *
 * @returns the checks that passed
 * @throws KhError VERIFY_SIZE, VERIFY_MD5
 */
export async function verifyTransfer(
  source: HeadersSource,
  received: Pick<ReceivedArchive, 'bytes' | 'md5'>,
): Promise<('size' | 'device-md5')[]> {
  const { serial } = source.access.adb;
  if (source.bytes !== undefined && received.bytes !== source.bytes) {
    throw new KhError('VERIFY_SIZE', {
      serial,
      message: `${source.path} has ${source.bytes} bytes on the device, but ${received.bytes} arrived`,
      hint: 'The transfer was cut short or the file changed under it. Run it again; try another cable or port if it recurs.',
      details: { expected: source.bytes, found: received.bytes },
    });
  }
  const deviceMd5 = await source.deviceMd5();
  if (deviceMd5 !== undefined && deviceMd5 !== received.md5) {
    throw new KhError('VERIFY_MD5', {
      serial,
      message: `the device's md5sum of ${source.path} is ${deviceMd5}, but what arrived has ${received.md5}`,
      hint: 'The transfer was damaged. Run it again; try another cable or port if it recurs.',
      details: { expected: deviceMd5, found: received.md5 },
    });
  }
  return [
    ...(source.bytes === undefined ? [] : (['size'] as const)),
    ...(deviceMd5 === undefined ? [] : (['device-md5'] as const)),
  ];
}

/** @throws KhError VERIFY_RELEASE where the archive was made for another kernel than the one that runs */
export function verifyRelease(serial: string, running: string, archive: string): void {
  if (running === archive) return;
  throw new KhError('VERIFY_RELEASE', {
    serial,
    message: `the archive says it was made for kernel ${archive}, but ${running} runs`,
    hint: 'A kheaders.ko of another kernel, or a renamed kernel: modules built against it would be refused or misbehave.',
    details: { expected: running, found: archive },
  });
}
