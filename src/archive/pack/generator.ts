/** How the kernel's own generator makes the archive: it has changed with time, and stable kernels took over some of it. */
export interface GeneratorTraits {
  /**
   * Which files go in. `headers`: all that end in `.h`. `all`: all but `.cmd` files
   * and hidden ones, and every folder (5.2). `split`: headers, the generated ones
   * from the build only, the others from the source only (6.16.1, 6.17).
   */
  selection: 'headers' | 'all' | 'split';
  /** A member from beside the headers: the generator itself, in 5.2. */
  ownScript?: string;
  /** What wins where source and build have the same file: with `cpio -pd`, what is there already. */
  precedence: 'source' | 'build';
  /** `tree`: each folder's entries by name (`tar --sort=name`). `paths`: whole paths bytewise (5.4 to 6.9). */
  order: 'tree' | 'paths';
  /** `fixed`: 0644 and 0755. `kept`: those on disk, and what the umask leaves to new folders (before 6.10). */
  modes: 'fixed' | 'kept';
  /** Leaves out what AFS and NFS leave behind: `.__afs*`, `.nfs*`. */
  leavesRemoteLeftovers: boolean;
  /** Of which lines kernel/kheaders.md5 is made; the archive's md5 is the last one, or not in it at all. */
  digests: DigestForm;
}

/** `source-build`: 5.2; `source-build-script`: 5.3, 5.4; `headers-script`: 5.5 to 6.16.0; `fingerprint`: later ones. */
export type DigestForm = 'source-build' | 'source-build-script' | 'headers-script' | 'fingerprint';

/** Where the script is in a kernel's source; the second one in 5.2-rc1 and what was ported back from it. */
export const GENERATOR_SCRIPTS = ['kernel/gen_kheaders.sh', 'kernel/gen_ikh_data.sh'] as const;

interface Version {
  major: number;
  minor: number;
  patch: number;
}

/**
 * Reads from the text of a generator script how it works: what stable kernels
 * and vendors ported back shows there, and in no version.
 *
 * @param path of the script in the source
 * @returns undefined where it is like none that is known
 */
export function generatorOfScript(text: string, path: string): GeneratorTraits | undefined {
  const selection = selectionOf(text);
  if (selection === undefined) return undefined;
  const hasScriptDigest = text.includes('this_file_md5');
  return {
    selection,
    ...(selection === 'all' ? { ownScript: path } : {}),
    precedence: /cpio[^|\n]*-pdu|tar[^|\n]*-xf/.test(text) ? 'build' : 'source',
    order: text.includes('LC_ALL=C sort') ? 'paths' : 'tree',
    modes: text.includes('--mode=') ? 'fixed' : 'kept',
    leavesRemoteLeftovers: /--exclude=["']?\.nfs/.test(text),
    digests: digestFormOf(text, selection, hasScriptDigest),
  };
}

function selectionOf(text: string): GeneratorTraits['selection'] | undefined {
  if (/\bobjlist=/.test(text)) return 'split';
  if (/find .*-name ["']\*\.h["']/.test(text)) return 'headers';
  return /find .*! -name ["']\*\.cmd["']/.test(text) ? 'all' : undefined;
}

function digestFormOf(
  text: string,
  selection: GeneratorTraits['selection'],
  hasScriptDigest: boolean,
): DigestForm {
  if (selection === 'split') return 'fingerprint';
  if (!text.includes('src_files_md5')) return 'headers-script';
  return hasScriptDigest ? 'source-build-script' : 'source-build';
}

/** How the generator of a version works, for header packages that come without the script. */
export function generatorOfVersion(version: Version): GeneratorTraits {
  const since = (major: number, minor: number, patch = 0) => isSince(version, [major, minor, patch]);
  const selection = since(6, 16, 1) ? 'split' : since(5, 3) ? 'headers' : 'all';
  return {
    selection,
    precedence: since(6, 1) ? 'build' : 'source',
    order: since(5, 4) && !since(6, 10) && !isStableSince(version, SORTED_BY_TAR) ? 'paths' : 'tree',
    modes: since(6, 10) || isStableSince(version, FIXED_MODES) ? 'fixed' : 'kept',
    leavesRemoteLeftovers: true,
    digests: since(6, 16, 1)
      ? 'fingerprint'
      : since(5, 5)
        ? 'headers-script'
        : since(5, 3)
          ? 'source-build-script'
          : 'source-build',
  };
}

type VersionNumbers = readonly [major: number, minor: number, patch: number];

/** The stable kernels that took over 3bd27a847a3a from 6.10. */
const FIXED_MODES: readonly VersionNumbers[] = [
  [5, 4, 279],
  [5, 10, 221],
  [5, 15, 162],
  [6, 1, 96],
  [6, 6, 36],
  [6, 9, 7],
];

/** Those of them whose script sorts by tar, too. */
const SORTED_BY_TAR = FIXED_MODES.filter(([major]) => major >= 6);

function isStableSince({ major, minor, patch }: Version, list: readonly VersionNumbers[]): boolean {
  return list.some(([one, other, from]) => one === major && other === minor && patch >= from);
}

function isSince({ major, minor, patch }: Version, [one, other, third]: VersionNumbers): boolean {
  if (major !== one) return major > one;
  return minor === other ? patch >= third : minor > other;
}
