import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { headerText } from '../header-text';
import {
  kernelArch,
  kernelVersion,
  readKernelConfig,
  type KernelArch,
  type KernelConfig,
  type KernelVersion,
} from '../kernel-config';

/** The kernel that modules are made for, as far as modpost and the loader's check need to know it. */
export interface KernelTarget {
  arch: KernelArch;
  version: KernelVersion;
  config: KernelConfig;
  /** Which lists of CRCs a module carries: the classic one of short names, the one of 6.13 for any, both or none. */
  versionTables: { basic: boolean; extended: boolean };
  /** True when the tree has that file. */
  hasHeader: (path: string) => boolean;
  /** The text of a file of the tree; empty when it has none of that name. */
  headerText: (path: string) => string;
}

/**
 * Learns about a kernel from its headers.
 *
 * @throws KhError BUILD_BAD_HEADERS, BUILD_UNSUPPORTED, STORE_*
 */
export function readKernelTarget(headersPath: string): KernelTarget {
  const config = readKernelConfig(headersPath);
  return {
    arch: kernelArch(config),
    version: kernelVersion(headersPath),
    config,
    versionTables: versionTables(config),
    hasHeader: (path) => existsSync(join(headersPath, path)),
    headerText: (path) => headerText(headersPath, path),
  };
}

/** BASIC_MODVERSIONS and EXTENDED_MODVERSIONS came with 6.13; before there was one table. */
export function versionTables(config: KernelConfig): KernelTarget['versionTables'] {
  if (!config.isOn('MODVERSIONS')) return { basic: false, extended: false };
  const extended = config.isOn('EXTENDED_MODVERSIONS');
  return { basic: config.isOn('BASIC_MODVERSIONS') || !extended, extended };
}
