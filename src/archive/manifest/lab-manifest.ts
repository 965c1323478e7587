import { isNativeError } from 'node:util/types';
import { integer, listOf, matching, Misfit, objectOf, shown, text } from '../../core/checks';
import { KhError } from '../../core/errors';
import type {
  Digests,
  ExpectedDigests,
  KernelKey,
  LabEntry,
  LabManifest,
  LabManifestFile,
  RevokedArchive,
} from './types';
import { isoTime } from './times';
import { unusable } from './unusable';

/** A list without entries, to add to. */
export function emptyLabManifest(path: string): LabManifest {
  return { form: 'lab', path, kernels: [], revoked: [] };
}

const release = matching(/^[\x21-\x7e]{1,64}$/, 'a kernel release');
const prose = matching(/^[^\0]{1,1000}$/s, 'text of 1 to 1000 characters');
const md5 = matching(/^[0-9a-f]{32}$/i, '32 hexadecimal digits');
const sha256 = matching(/^[0-9a-f]{64}$/i, '64 hexadecimal digits');

/** A field that is not known is refused: a slip of the pen in "expires" must not make an entry last for ever. */
const labFile = objectOf(
  {
    $schema: text,
    kheaders: integer(1, 1),
    kernels: listOf(
      objectOf(
        {
          release,
          version: prose,
          md5,
          sha256,
          bytes: integer(0),
          added: isoTime,
          expires: isoTime,
          note: prose,
        },
        ['release', 'md5', 'sha256', 'bytes', 'added'],
      ),
    ),
    revoked: listOf(
      objectOf({ sha256, md5, release, version: prose, at: isoTime, reason: prose }, [
        'sha256',
        'at',
        'reason',
      ]),
    ),
  },
  ['kernels'],
);

/**
 * Reads the lab's JSON manifest: docs/schemas/lab-manifest.json.
 *
 * @throws KhError MANIFEST_UNUSABLE saying which entry is wrong, and how
 */
export function parseLabManifest(source: string, path: string): LabManifest {
  const value = parseJson(source, path);
  const version = versionOf(value);
  if (version === undefined) throw unusable(path, 'is no lab manifest: it has no field "kheaders": 1');
  if (version !== 1) throw unusable(path, `says it is of version ${shown(version)}; this kh reads version 1`);
  try {
    labFile(value, '');
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    throw unusable(path, `is not valid: ${error.message}`);
  }
  const { $schema, kernels, revoked = [] } = value as LabManifestFile;
  refuseTwins(kernels, path);
  return {
    form: 'lab',
    path,
    ...($schema === undefined ? {} : { $schema }),
    kernels: kernels.map(inLowerCase),
    revoked: revoked.map(inLowerCase),
  };
}

function versionOf(value: unknown): unknown {
  const isObject = typeof value === 'object' && value !== null;
  return isObject ? Object.entries(value).find(([name]) => name === 'kheaders')?.[1] : undefined;
}

function inLowerCase<T extends { md5?: string; sha256: string }>(entry: T): T {
  const { md5: short, sha256: long } = entry;
  return {
    ...entry,
    ...(short === undefined ? {} : { md5: short.toLowerCase() }),
    sha256: long.toLowerCase(),
  };
}

function refuseTwins(entries: LabEntry[], path: string): void {
  const seen = new Set<string>();
  for (const entry of entries) {
    if (seen.has(keyOf(entry))) throw unusable(path, `has two entries for ${described(entry)}`);
    seen.add(keyOf(entry));
  }
}

function parseJson(source: string, path: string): unknown {
  try {
    return JSON.parse(source) as unknown;
  } catch (cause) {
    throw unusable(
      path,
      `is no valid JSON: ${isNativeError(cause) ? cause.message : 'unreadable'}`,
      undefined,
      cause,
    );
  }
}

/** The entry of this very build, or else the one that speaks for all builds of the release. */
export function lookUpLab(manifest: LabManifest, kernel: KernelKey): ExpectedDigests | undefined {
  const ofRelease = manifest.kernels.filter((entry) => entry.release === kernel.release);
  const entry =
    ofRelease.find((one) => one.version !== undefined && one.version === kernel.version) ??
    ofRelease.find((one) => one.version === undefined);
  if (entry === undefined) return undefined;
  const { expires } = entry;
  return {
    md5: entry.md5,
    sha256: entry.sha256,
    entry: described(entry),
    ...(expires === undefined ? {} : { expires }),
  };
}

/** What says that these bytes are not to be trusted any more, whatever kernel they are for. Either digest will do. */
function revocationOf({ revoked }: LabManifest, found: Partial<Digests>): RevokedArchive | undefined {
  return revoked.find(
    (one) => one.sha256 === found.sha256 || (one.md5 !== undefined && one.md5 === found.md5),
  );
}

/**
 * @returns a manifest with the entry in the place of the one for the same release and version, or at its end
 * @throws KhError VERIFY_REVOKED where those bytes were revoked
 */
export function addEntry(manifest: LabManifest, entry: LabEntry): LabManifest {
  refuseRevoked(manifest, entry);
  const others = manifest.kernels.filter((one) => keyOf(one) !== keyOf(entry));
  return { ...manifest, kernels: [...others, entry] };
}

/**
 * @returns a manifest that trusts these bytes for no kernel any more, and says why; what was known of an archive
 *   that was revoked before stays, as its md5 is what devices are asked for first
 */
export function revokeArchive(manifest: LabManifest, revoked: RevokedArchive): LabManifest {
  const before = manifest.revoked.find((one) => one.sha256 === revoked.sha256);
  return {
    ...manifest,
    kernels: manifest.kernels.filter((entry) => entry.sha256 !== revoked.sha256),
    revoked: [...manifest.revoked.filter((one) => one !== before), { ...before, ...revoked }],
  };
}

/** @throws KhError VERIFY_REVOKED with the reason */
export function refuseRevoked(manifest: LabManifest, found: Partial<Digests>): void {
  const revocation = revocationOf(manifest, found);
  if (revocation === undefined) return;
  const { at, reason, sha256: digest } = revocation;
  throw new KhError('VERIFY_REVOKED', {
    message: `${manifest.path} revoked this archive (sha256 ${digest}) on ${at.slice(0, 10)}: ${reason}`,
    hint: 'Put a kernel on the device whose archive is trusted. What was pulled of this one before is still on disk: `kh manifest check` names it.',
    details: { manifest: manifest.path, ...revocation },
  });
}

/** @returns the JSON text, entries sorted by kernel so that changes show well in version control. */
export function formatManifest({ $schema, kernels, revoked }: LabManifest): string {
  const file: LabManifestFile = {
    ...($schema === undefined ? {} : { $schema }),
    kheaders: 1,
    kernels: sortedBy(kernels, keyOf),
    ...(revoked.length === 0 ? {} : { revoked: sortedBy(revoked, (one) => one.sha256) }),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

function sortedBy<T>(list: readonly T[], keyOfOne: (one: T) => string): T[] {
  return [...list].sort((one, other) => (keyOfOne(one) < keyOfOne(other) ? -1 : 1));
}

function keyOf({ release: name, version }: LabEntry): string {
  return `${name}\n${version ?? ''}`;
}

function described({ release: name, version }: LabEntry): string {
  return version === undefined ? `kernel ${name}` : `kernel ${name} (${version})`;
}
