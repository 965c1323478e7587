import { posix } from 'node:path';
import type { ChecksumEntry, ExpectedDigests, KernelKey } from './types';
import { unusable } from './unusable';

/** `<hex>  name`, `<hex> *name`, and `\<hex>  escaped\nname`, as coreutils write them. */
const PLAIN = /^(\\?)([0-9a-f]{32}|[0-9a-f]{64}) [ *](.+)$/i;

/** `MD5 (name) = <hex>`, as BSD's tools and `--tag` write them. */
const TAGGED = /^(\\?)(MD5|SHA256|SHA2-256) \((.+)\) = ([0-9a-f]+)$/i;

const HEX_DIGITS = { md5: 32, sha256: 64 };

/** @returns the entry of one line; undefined for a line of another form. */
export function checksumLine(line: string): ChecksumEntry | undefined {
  const plain = PLAIN.exec(line);
  if (plain !== null) {
    const [, escaped = '', digest = '', name = ''] = plain;
    return entry(digest.length === 32 ? 'md5' : 'sha256', digest, name, escaped !== '');
  }
  const [, escaped = '', tag = '', name = '', digest = ''] = TAGGED.exec(line) ?? [];
  if (tag === '') return undefined;
  const kind = tag.toUpperCase() === 'MD5' ? 'md5' : 'sha256';
  return digest.length === HEX_DIGITS[kind] ? entry(kind, digest, name, escaped !== '') : undefined;
}

function entry(kind: ChecksumEntry['kind'], digest: string, name: string, escaped: boolean): ChecksumEntry {
  return { kind, digest: digest.toLowerCase(), name: escaped ? unescape(name) : name };
}

function unescape(name: string): string {
  return name.replace(/\\([\\nr])/g, (_, letter: string) => ({ n: '\n', r: '\r' })[letter] ?? '\\');
}

/**
 * The entries that speak of this kernel's archive: those whose name holds the
 * release; where none does, those called kheaders.tar.xz with no other
 * kernel in their name; and a lone entry, whatever it is called.
 *
 * @throws KhError MANIFEST_UNUSABLE when they contradict each other
 */
export function lookUpChecksum(
  { entries, path }: { entries: ChecksumEntry[]; path: string },
  { release }: KernelKey,
): ExpectedDigests | undefined {
  const meant = entriesFor(entries, release);
  const found: ExpectedDigests = { entry: [...new Set(meant.map(({ name }) => name))].join(', ') };
  for (const { kind, digest, name } of meant) {
    if (found[kind] !== undefined && found[kind] !== digest) {
      throw unusable(
        path,
        `is ambiguous: its entries ${found.entry} give different ${kind} digests for kernel ${release} (${found[kind]} and ${digest}, at "${name}")`,
        'Name each archive after its kernel, as in 6.1.145-android14-11/kheaders.tar.xz, or leave one entry only.',
      );
    }
    found[kind] = digest;
  }
  return meant.length === 0 ? undefined : found;
}

function entriesFor(entries: ChecksumEntry[], release: string): ChecksumEntry[] {
  const ofRelease = entries.filter(({ name }) => namesRelease(name, release));
  if (ofRelease.length > 0) return ofRelease;
  const unkeyed = entries.filter(({ name }) => isArchiveName(name) && !/\d+\.\d+/.test(name));
  if (unkeyed.length > 0) return unkeyed;
  const names = new Set(entries.map(({ name }) => name));
  const only = names.size === 1 ? entries : [];
  return only.filter(({ name }) => !/\d+\.\d+\.\d+/.test(name));
}

/** What kernel builds, devices and this tool call the archive. */
function isArchiveName(name: string): boolean {
  return /^kheaders(_data)?\.tar\.xz$/.test(posix.basename(name));
}

/** The release as a whole: 6.1.14 is not in "6.1.145", nor 6.1.145 in "6.1.145-android14". */
function namesRelease(name: string, release: string): boolean {
  for (let at = name.indexOf(release); at !== -1; at = name.indexOf(release, at + 1)) {
    const before = name[at - 1] ?? '/';
    const after = name.slice(at + release.length);
    if (!/[0-9A-Za-z.+]/.test(before) && /^($|\/|\.tar|\.kheaders|_)/.test(after)) return true;
  }
  return false;
}
