import { createHash, sign, verify } from 'node:crypto';
import { isNativeError } from 'node:util/types';
import { integer, listOf, matching, Misfit, objectOf, text } from '../../core/checks';
import { KhError } from '../../core/errors';
import { hasExpired } from './check';
import { shortKeyId, type ManifestKey } from './keys';
import { isoTime } from './times';
import { unusable } from './unusable';

/** One signature of a manifest. */
export interface ManifestSignature {
  /** The key: sha256 of the public one in its SPKI form. */
  key: string;
  /** Of the manifest's bytes. */
  sha256: string;
  /** ISO time. */
  signedAt: string;
  /** ISO time from which on the signature counts for nothing. */
  expires?: string;
  /** Ed25519, in base64, of the lines that `statementOf` gives. */
  signature: string;
}

/** `FILE.sig`, beside the manifest FILE, version 1. */
export interface SignatureFile {
  /** For editors. */
  $schema?: string;
  kheadersSignatures: 1;
  signatures: ManifestSignature[];
}

/** What became of one signature when it was checked. */
export interface CheckedSignature extends Omit<ManifestSignature, 'signature' | 'sha256'> {
  /**
   * `valid`; `stale`: of other bytes than the manifest has now; `unknown-key`: not by a key that is
   * trusted; `wrong`: names a trusted key, which did not make it; `expired`; `future`: signed later than now.
   */
  state: 'valid' | 'stale' | 'unknown-key' | 'wrong' | 'expired' | 'future';
}

/** Bytes: hundreds of signatures fit. */
export const LARGEST_SIGNATURE_FILE = 256 * 1024;

/** How far the clocks of two hosts may be apart, in milliseconds. */
const CLOCK_SKEW = 10 * 60_000;

/** Where the signatures of a manifest are. */
export function signaturePath(manifest: string): string {
  return `${manifest}.sig`;
}

/**
 * What is signed: it says what it is, so that a signature made for anything
 * else cannot be put in its place, and the other way round.
 */
export function statementOf({
  sha256,
  signedAt,
  expires = 'never',
}: Pick<ManifestSignature, 'sha256' | 'signedAt' | 'expires'>): Buffer {
  return Buffer.from(
    `kheaders manifest signature 1\nsha256 ${sha256}\nsigned-at ${signedAt}\nexpires ${expires}\n`,
  );
}

/** @param key a private one */
export function signBytes(
  bytes: Buffer,
  key: ManifestKey,
  { now, expires }: { now: Date; expires?: string },
): ManifestSignature {
  const said = {
    sha256: sha256Of(bytes),
    signedAt: now.toISOString(),
    ...(expires === undefined ? {} : { expires }),
  };
  return { key: key.id, ...said, signature: sign(null, statementOf(said), key.key).toString('base64') };
}

const hex = matching(/^[0-9a-f]{64}$/, '64 hexadecimal digits');
const signatureFile = objectOf(
  {
    $schema: text,
    kheadersSignatures: integer(1, 1),
    signatures: listOf(
      objectOf(
        {
          key: hex,
          sha256: hex,
          signedAt: isoTime,
          expires: isoTime,
          signature: matching(/^[A-Za-z0-9+/]{86}==$/, 'an Ed25519 signature in base64'),
        },
        ['key', 'sha256', 'signedAt', 'signature'],
      ),
    ),
  },
  ['kheadersSignatures', 'signatures'],
);

/** @throws KhError MANIFEST_UNUSABLE where the file is no list of signatures */
export function parseSignatures(source: string, path: string): ManifestSignature[] {
  if (source.length > LARGEST_SIGNATURE_FILE)
    throw unusable(path, `is larger than ${LARGEST_SIGNATURE_FILE} bytes`);
  try {
    const value = JSON.parse(source) as unknown;
    signatureFile(value, '');
    return (value as SignatureFile).signatures;
  } catch (error) {
    if (!isNativeError(error) || !(error instanceof Misfit || error.name === 'SyntaxError')) throw error;
    throw unusable(path, `is no list of signatures: ${error.message}`, RESTORE, error);
  }
}

/** @returns the text of a `FILE.sig` */
export function formatSignatures(signatures: ManifestSignature[]): string {
  const file: SignatureFile = { kheadersSignatures: 1, signatures };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Those that are of these very bytes, whoever made them. */
export function signaturesOf(bytes: Buffer, signatures: ManifestSignature[]): ManifestSignature[] {
  const sha256 = sha256Of(bytes);
  return signatures.filter((one) => one.sha256 === sha256);
}

/** What each signature is worth to someone who trusts these public keys. */
export function checkSignatures(
  bytes: Buffer,
  signatures: ManifestSignature[],
  trusted: ManifestKey[],
  now: Date,
): CheckedSignature[] {
  const sha256 = sha256Of(bytes);
  return signatures.map((one) => ({
    key: one.key,
    signedAt: one.signedAt,
    ...(one.expires === undefined ? {} : { expires: one.expires }),
    state: one.sha256 === sha256 ? stateOf(one, trusted, now) : 'stale',
  }));
}

function stateOf(one: ManifestSignature, trusted: ManifestKey[], now: Date): CheckedSignature['state'] {
  const signer = trusted.find(({ id }) => id === one.key);
  if (signer === undefined) return 'unknown-key';
  const isItsOwn = verify(null, statementOf(one), signer.key, Buffer.from(one.signature, 'base64'));
  if (!isItsOwn) return 'wrong';
  if (Date.parse(one.signedAt) > now.getTime() + CLOCK_SKEW) return 'future';
  return hasExpired(one, now) ? 'expired' : 'valid';
}

/**
 * One valid signature will do: while a lab goes over to a new key, manifests carry two.
 *
 * @throws KhError MANIFEST_UNTRUSTED saying what is wrong with each signature
 */
export function requireSignature(path: string, checked: CheckedSignature[]): void {
  if (checked.some(({ state }) => state === 'valid')) return;
  throw new KhError('MANIFEST_UNTRUSTED', {
    message: `the manifest ${path} ${problemsOf(path, checked)}`,
    hint: hintFor(checked),
    details: { path, signatures: checked },
  });
}

function problemsOf(path: string, checked: CheckedSignature[]): string {
  const file = signaturePath(path);
  if (checked.length === 0) return `is not signed: there is no signature in ${file}`;
  if (checked.every(({ state }) => state === 'stale')) {
    return `was changed since it was signed, or ${file} is that of another one: all of its signatures are of other bytes`;
  }
  return `has no signature that counts: ${checked.map(problemOf).join('; ')}`;
}

function problemOf({ key, state, signedAt, expires = '' }: CheckedSignature): string {
  const problems: Record<CheckedSignature['state'], string> = {
    valid: 'is valid',
    stale: 'signed other bytes',
    'unknown-key': 'is not one of the keys that are trusted',
    wrong: 'did not make the signature that bears its name',
    expired: `signed it until ${expires}`,
    future: `signed it at ${signedAt}, which is yet to come by the clock of this machine`,
  };
  return `key ${shortKeyId(key)} ${problems[state]}`;
}

function hintFor(checked: CheckedSignature[]): string {
  const isAny = (wanted: CheckedSignature['state']) => checked.some(({ state }) => state === wanted);
  if (isAny('future')) return SET_CLOCK;
  return isAny('unknown-key') ? UNKNOWN_KEY : SIGN_AGAIN;
}

const SET_CLOCK =
  'Set the clock of this machine. If it is right, that of the machine that signed was not: sign it again there.';
const SIGN_AGAIN = 'Who keeps the key looks at the manifest, and signs it again: `kh manifest sign`.';
const RESTORE = 'Restore it; or move it away, and have the manifest signed again: `kh manifest sign`.';
const UNKNOWN_KEY =
  'Get the manifest from where it is kept; or, if you know that the key is good, name its public part with --trusted-key.';

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
