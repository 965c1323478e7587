import { checksumLine, lookUpChecksum } from './checksum-list';
import { isKheadersMd5, kheadersMd5 } from './kheaders-md5';
import { lookUpLab, parseLabManifest } from './lab-manifest';
import type { ChecksumEntry, ExpectedDigests, KernelKey, Manifest } from './types';
import { unusable } from './unusable';

/** Characters: the entries of ten thousand kernels fit. */
export const LARGEST_MANIFEST = 4 * 1024 * 1024;

/**
 * Reads a manifest in any of its three forms, told apart by content: a kernel
 * build's kheaders.md5, an md5sum(1) or sha256sum(1) list, or the lab's JSON.
 *
 * @param path for messages
 * @throws KhError MANIFEST_UNUSABLE with the reason
 */
export function parseManifest(text: string, path: string): Manifest {
  if (text.length > LARGEST_MANIFEST) throw unusable(path, `is larger than ${LARGEST_MANIFEST} bytes`);
  const bare = text.replace(/^\ufeff/, '');
  if (bare.trim() === '') throw unusable(path, 'is empty');
  if (/^\s*[{[]/.test(bare)) return parseLabManifest(bare, path);
  const lines = bare.split(/\r?\n|\r$/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const trimmed = lines.map((line) => line.trim());
  if (isKheadersMd5(trimmed)) return { form: 'kheaders.md5', path, md5: kheadersMd5(trimmed, path) };
  return { form: 'checksum-list', path, entries: lines.map((line) => requireEntry(line, path)) };
}

function requireEntry(line: string, path: string): ChecksumEntry {
  const entry = checksumLine(line.trimStart());
  if (entry === undefined) throw unusable(path, `has a line that is no checksum: "${line.slice(0, 80)}"`);
  return entry;
}

/**
 * What the manifest says of the archive of this kernel. A kheaders.md5 names
 * no kernel, and speaks for any.
 *
 * @returns undefined when the manifest does not know the kernel
 * @throws KhError MANIFEST_UNUSABLE when its entries contradict each other
 */
export function lookUp(manifest: Manifest, kernel: KernelKey): ExpectedDigests | undefined {
  switch (manifest.form) {
    case 'kheaders.md5':
      return { md5: manifest.md5, entry: 'last line' };
    case 'checksum-list':
      return lookUpChecksum(manifest, kernel);
    case 'lab':
      return lookUpLab(manifest, kernel);
  }
}
