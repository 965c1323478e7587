import { unusable } from './unusable';

const BARE_MD5 = /^[0-9a-f]{32}$/i;

/** True for text that can only be a kernel build's kernel/kheaders.md5: bare digests, or one digest of stdin. */
export function isKheadersMd5(lines: string[]): boolean {
  return lines.length > 0 && (lines.every((line) => BARE_MD5.test(line)) || isFingerprint(lines));
}

/**
 * Reads the archive's md5 from a kheaders.md5.
 *
 * | kernel | lines | the last one |
 * |---|---|---|
 * | 5.2 | 3 | the archive |
 * | 5.3, 5.4 | 4 | the archive |
 * | 5.5 to 6.16.0 | 3 | the archive |
 * | 6.16.y, 6.17 and later | 1 | a list of file names |
 *
 * @throws KhError MANIFEST_UNUSABLE for the forms that do not hold the archive's md5
 * @see kernel/gen_kheaders.sh
 */
export function kheadersMd5(lines: string[], path: string): string {
  if (isFingerprint(lines)) {
    throw unusable(
      path,
      'is a kheaders.md5 of one line: since kernel 6.17 (and 6.16.1) that is a fingerprint of file names, not the md5 of the archive',
      'Make a manifest beside the kernel build: md5sum kheaders.tar.xz (kernel/kheaders_data.tar.xz) > manifest.txt',
    );
  }
  const last = lines.at(-1);
  if (last === undefined || lines.length < 3 || lines.length > 4) {
    throw unusable(
      path,
      `is a kheaders.md5 of ${lines.length} line(s): kernels write 3 or 4, the last one being the archive's md5`,
      'The file is damaged, or of a kernel that kh does not know: use md5sum on the archive instead.',
    );
  }
  return last.toLowerCase();
}

/**
 * The md5 of the archive that a kheaders.md5 goes with; undefined for the form
 * that has none.
 *
 * @throws KhError MANIFEST_UNUSABLE where it is of no form that kernels write
 */
export function archiveMd5(text: string, path: string): string | undefined {
  const lines = text.split('\n').filter((line) => line !== '');
  if (isFingerprint(lines)) return undefined;
  if (isKheadersMd5(lines)) return kheadersMd5(lines, path);
  throw unusable(path, 'is no kheaders.md5', '`kh pack` writes it beside the archive.');
}

function isFingerprint(lines: string[]): boolean {
  return lines.length === 1 && /^[0-9a-f]{32} [ *]-$/i.test(lines[0] ?? '');
}
