import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { KhError } from '../../core/errors';

/** A key that signs, or that signatures are checked with. */
export interface ManifestKey {
  /** sha256 of the public key in its SPKI form (DER), in lower-case hex. */
  id: string;
  /** The file that it came from. */
  path: string;
  key: KeyObject;
}

const PUBLIC_BLOCK = /-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/g;

/**
 * Reads the public keys of a PEM file, as `openssl pkey -pubout` writes them; one file may hold several.
 *
 * @throws KhError USAGE for a private key, another kind of key, and a file without any
 */
export function parsePublicKeys(pem: string, path: string): ManifestKey[] {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw keyError(
      path,
      'is a private key: who checks signatures needs the public one only',
      'Keep it where manifests are signed, and name its .pub file here.',
    );
  }
  const blocks = pem.match(PUBLIC_BLOCK) ?? [];
  if (blocks.length === 0) throw keyError(path, 'holds no public key in PEM form');
  return blocks.map((block) => {
    try {
      return named(createPublicKey(block), path);
    } catch (cause) {
      if (cause instanceof KhError) throw cause;
      throw keyError(path, 'holds a public key that cannot be read', undefined, cause);
    }
  });
}

/**
 * Reads a private key in PEM form (PKCS#8), as `openssl genpkey -algorithm ed25519` writes it.
 *
 * @throws KhError USAGE where it is none, of another kind, or encrypted and the passphrase is missing or wrong
 */
export function parsePrivateKey(pem: Buffer, path: string, passphrase?: string): ManifestKey {
  try {
    const key = createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
    return { ...named(createPublicKey(key), path), key };
  } catch (cause) {
    if (cause instanceof KhError) throw cause;
    if (!pem.includes('ENCRYPTED')) throw keyError(path, 'is no private key in PEM form', undefined, cause);
    const why = passphrase === undefined ? 'is encrypted' : 'does not open with that passphrase';
    throw keyError(path, why, 'Name a file with its passphrase: --passphrase-file.', cause);
  }
}

/** A new pair of keys, in PEM form. The private one is encrypted where there is a passphrase. */
export function newKeyPair(passphrase?: string): { id: string; privatePem: string; publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const cipher = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  return {
    id: idOf(publicKey),
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem', ...cipher }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/** As people see it: 16 digits tell the keys of a lab apart. */
export function shortKeyId(id: string): string {
  return id.slice(0, 16);
}

function named(key: KeyObject, path: string): ManifestKey {
  if (key.asymmetricKeyType === 'ed25519') return { id: idOf(key), path, key };
  throw keyError(path, `is a key of the kind ${key.asymmetricKeyType ?? 'unknown'}: manifests take ed25519`);
}

function idOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

export function keyError(path: string, why: string, hint?: string, cause?: unknown): KhError {
  return new KhError('USAGE', {
    message: `the key ${path} ${why}`,
    hint: hint ?? '`kh manifest keygen` makes a pair of keys; docs/manifests.md says more.',
    details: { path },
    cause,
  });
}
