import { isNativeError } from 'node:util/types';
import type { ExpectedDigests, KernelKey, LabEntry, LabManifest } from './types';
import { unusable } from './unusable';

/** A list without entries, to add to. */
export function emptyLabManifest(path: string): LabManifest {
  return { form: 'lab', path, kernels: [] };
}

/**
 * Reads the lab's JSON manifest:
 * `{ "kheaders": 1, "kernels": [ { "release", "version"?, "md5", "sha256", "bytes", "added", "note"? } ] }`.
 *
 * @throws KhError MANIFEST_UNUSABLE saying which entry is wrong, and how
 */
export function parseLabManifest(text: string, path: string): LabManifest {
  const root = asObject(parseJson(text, path), path, 'is no JSON object');
  if (root['kheaders'] !== 1) {
    throw unusable(
      path,
      `says it is of version ${JSON.stringify(root['kheaders'] ?? null)}; this kh reads version 1`,
    );
  }
  const list = root['kernels'];
  if (!Array.isArray(list)) throw unusable(path, 'has no list "kernels"');
  const kernels = list.map((entry: unknown, index) => labEntry(entry, path, `kernels[${index}]`));
  const seen = new Map<string, LabEntry>();
  for (const entry of kernels) {
    const twin = seen.get(keyOf(entry));
    if (twin !== undefined) throw unusable(path, `has two entries for ${described(entry)}`);
    seen.set(keyOf(entry), entry);
  }
  return { form: 'lab', path, kernels };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw unusable(
      path,
      `is no valid JSON: ${isNativeError(cause) ? cause.message : 'unreadable'}`,
      undefined,
      cause,
    );
  }
}

function asObject(value: unknown, path: string, why: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unusable(path, why);
  return value as Record<string, unknown>;
}

/** Takes the fields that it knows, each by its own name, and looks at their own values only. */
function labEntry(value: unknown, path: string, where: string): LabEntry {
  const entry = new Map(
    Object.entries(asObject(value, path, `has something else than an object at ${where}`)),
  );
  const text = (field: string, form: RegExp): string => {
    const found = entry.get(field);
    if (typeof found === 'string' && form.test(found)) return found;
    throw unusable(path, `has a wrong or missing "${field}" at ${where}`);
  };
  const optional = (field: 'version' | 'note') =>
    entry.has(field) ? { [field]: text(field, /^[^\0]{1,1000}$/s) } : {};
  const bytes = entry.get('bytes');
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0) {
    throw unusable(path, `has a wrong or missing "bytes" at ${where}`);
  }
  return {
    release: text('release', /^[\x21-\x7e]{1,64}$/),
    ...optional('version'),
    md5: text('md5', /^[0-9a-f]{32}$/i).toLowerCase(),
    sha256: text('sha256', /^[0-9a-f]{64}$/i).toLowerCase(),
    bytes,
    added: text('added', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    ...optional('note'),
  };
}

/** The entry of this very build, or else the one that speaks for all builds of the release. */
export function lookUpLab(
  manifest: LabManifest,
  { release, version }: KernelKey,
): ExpectedDigests | undefined {
  const ofRelease = manifest.kernels.filter((entry) => entry.release === release);
  const entry =
    ofRelease.find((one) => one.version !== undefined && one.version === version) ??
    ofRelease.find((one) => one.version === undefined);
  return entry && { md5: entry.md5, sha256: entry.sha256, entry: described(entry) };
}

/** @returns a manifest with the entry in the place of the one for the same release and version, or at its end. */
export function addEntry(manifest: LabManifest, entry: LabEntry): LabManifest {
  const others = manifest.kernels.filter((one) => keyOf(one) !== keyOf(entry));
  return { ...manifest, kernels: [...others, entry] };
}

/** @returns the JSON text, entries sorted by kernel so that changes show well in version control. */
export function formatManifest({ kernels }: LabManifest): string {
  const sorted = [...kernels].sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  return `${JSON.stringify({ kheaders: 1, kernels: sorted }, null, 2)}\n`;
}

function keyOf({ release, version }: LabEntry): string {
  return `${release}\n${version ?? ''}`;
}

function described({ release, version }: LabEntry): string {
  return version === undefined ? `kernel ${release}` : `kernel ${release} (${version})`;
}
