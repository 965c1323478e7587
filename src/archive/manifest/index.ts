export { archiveMd5 } from './kheaders-md5';
export { LARGEST_MANIFEST, parseManifest, lookUp } from './parse-manifest';
export { checkAgainst, hasExpired } from './check';
export { addEntry, emptyLabManifest, formatManifest, refuseRevoked, revokeArchive } from './lab-manifest';
export { newKeyPair, keyError, parsePrivateKey, parsePublicKeys, shortKeyId, type ManifestKey } from './keys';
export {
  checkSignatures,
  formatSignatures,
  LARGEST_SIGNATURE_FILE,
  parseSignatures,
  requireSignature,
  signaturePath,
  signaturesOf,
  signBytes,
  type CheckedSignature,
  type ManifestSignature,
} from './signatures';
export type {
  ChecksumEntry,
  Digests,
  ExpectedDigests,
  KernelKey,
  LabEntry,
  LabManifest,
  Manifest,
  RevokedArchive,
} from './types';
