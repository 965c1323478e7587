export { parseManifest, lookUp } from './parse-manifest';
export { checkAgainst } from './check';
export { addEntry, emptyLabManifest, formatManifest } from './lab-manifest';
export type { ChecksumEntry, ExpectedDigests, KernelKey, LabEntry, LabManifest, Manifest } from './types';
