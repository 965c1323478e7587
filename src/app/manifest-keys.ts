import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  keyError,
  newKeyPair,
  parsePrivateKey,
  parsePublicKeys,
  type ManifestKey,
} from '../archive/manifest';
import { outputError } from '../core/disk-error';
import { isErrno, KhError } from '../core/errors';
import type { Emit } from '../core/events';
import { readBounded } from '../core/read-bounded';

/** Bytes: more than any key or passphrase has. */
const LARGEST_KEY = 64 * 1024;

/** The public keys of a folder: those of its files that end so. */
const PUBLIC_NAMES = /\.(pub|pem)$/;

/**
 * The public keys of files and folders. A folder without any is refused, so
 * that an empty one does not turn into "anything goes".
 *
 * @throws KhError USAGE naming the file or the folder
 */
export async function readTrustedKeys(paths: readonly string[]): Promise<ManifestKey[]> {
  const files = await Promise.all(paths.map((path) => keyFiles(resolve(path))));
  const keys = files
    .flat()
    .map(async (path) => parsePublicKeys((await readKeyFile(path)).toString('latin1'), path));
  return (await Promise.all(keys)).flat();
}

async function keyFiles(path: string): Promise<string[]> {
  try {
    const names = (await readdir(path)).filter((name) => PUBLIC_NAMES.test(name)).sort();
    if (names.length === 0) throw keyError(path, 'is a folder without a .pub or .pem file');
    return names.map((name) => join(path, name));
  } catch (error) {
    if (isErrno(error, 'ENOTDIR')) return [path];
    throw asKeyError(error, path);
  }
}

/** Which keys sign, and what opens them. */
export interface SigningKeys {
  /** Files in PEM form. */
  keys: readonly string[];
  passphraseFile?: string;
}

/** @throws KhError USAGE as `parsePrivateKey`, or where a file can't be read */
export async function readSigningKeys(
  { keys, passphraseFile }: SigningKeys,
  emit: Emit,
): Promise<ManifestKey[]> {
  const passphrase = await readPassphrase(passphraseFile);
  return Promise.all(
    keys.map(async (given) => {
      const path = resolve(given);
      const key = parsePrivateKey(await readKeyFile(path), path, passphrase);
      const { mode } = await stat(path);
      if (process.platform !== 'win32' && (mode & 0o077) !== 0 && (mode & 0o170000) === 0o100000) {
        emit({
          type: 'warning',
          message: `others on this machine may read the private key ${path}: chmod 600`,
        });
      }
      return key;
    }),
  );
}

/** A new pair of keys on disk. */
export interface NewKeys {
  /** sha256 of the public key in its SPKI form. */
  key: string;
  /** Where the private key is, mode 0600; the secret of the pair. */
  privatePath: string;
  publicPath: string;
  encrypted: boolean;
}

/**
 * Makes a pair of keys: NAME.key and NAME.pub. Replaces nothing, as a lost key cannot be had again.
 *
 * @throws KhError USAGE where one of the files is there, or the passphrase can't be read; STORE_*
 */
export async function generateKeys(name: string, passphraseFile?: string): Promise<NewKeys> {
  const privatePath = resolve(`${name}.key`);
  const publicPath = resolve(`${name}.pub`);
  const passphrase = await readPassphrase(passphraseFile);
  const { id, privatePem, publicPem } = newKeyPair(passphrase);
  await writeNew(publicPath, publicPem, 0o644);
  try {
    await writeNew(privatePath, privatePem, 0o600);
  } catch (error) {
    await rm(publicPath, { force: true });
    throw error;
  }
  return { key: id, privatePath, publicPath, encrypted: passphrase !== undefined };
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx', mode });
  } catch (error) {
    if (isErrno(error, 'EEXIST')) {
      throw keyError(path, 'is there already, and is left as it is', 'Give the new key another name.');
    }
    await rm(path, { force: true }); // half a key, where the disk is full
    throw outputError(error, path);
  }
}

/** The first line of a file. @throws KhError USAGE where it has none */
async function readPassphrase(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const path = resolve(file);
  const [passphrase = ''] = (await readKeyFile(path)).toString('utf8').split(/\r?\n/);
  if (passphrase !== '') return passphrase;
  throw new KhError('USAGE', { message: `there is no passphrase in the first line of ${path}` });
}

async function readKeyFile(path: string): Promise<Buffer> {
  try {
    return await readBounded(path, LARGEST_KEY);
  } catch (error) {
    throw asKeyError(error, path);
  }
}

function asKeyError(error: unknown, path: string): unknown {
  if (!isErrno(error, 'ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR', 'ELOOP')) return error;
  return keyError(path, `cannot be read: ${error.code ?? ''}`, 'Check the path, and who may read it.', error);
}
