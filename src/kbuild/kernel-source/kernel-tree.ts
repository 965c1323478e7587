import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KhError, isErrno } from '../../core/errors';
import { refuseUnusablePath } from '../kdir/make-path';
import type { KernelVersion } from '../kernel-config';

/** VERSION, PATCHLEVEL and SUBLEVEL of a source tree. */
export type TreeVersion = Pick<KernelVersion, 'major' | 'minor' | 'patch'>;

/**
 * Looks whether a folder is the source of a kernel that modules for `kernel`
 * can be built with: of its VERSION and PATCHLEVEL.
 *
 * @returns what differs and may be harmless, in sentences
 * @throws KhError USAGE where it is no such tree, BUILD_BAD_SOURCE where it is of another kernel, BUILD_BAD_PATH
 */
export function checkKernelTree(tree: string, kernel: KernelVersion): string[] {
  const version = treeVersion(tree);
  refuseUnusablePath(tree, 'Move it, or link to it from elsewhere.');
  if (version.major !== kernel.major || version.minor !== kernel.minor) {
    throw new KhError('BUILD_BAD_SOURCE', {
      message: `${tree} is the source of Linux ${text(version)}, and the kernel that runs is ${kernel.release}`,
      hint: `Name the source of Linux ${kernel.major}.${kernel.minor} with --kernel-source, or leave it out: kh builds modules without.`,
      details: { tree, version: text(version), release: kernel.release },
    });
  }
  if (version.patch === kernel.patch) return [];
  return [
    `The source is that of ${text(version)}, and the kernel that runs is ${kernel.release}: headers are the device's where they differ, all else is the source's.`,
  ];
}

/** @throws KhError USAGE */
function treeVersion(tree: string): TreeVersion {
  const makefile = readMakefile(tree);
  const [major, minor, patch] = ['VERSION', 'PATCHLEVEL', 'SUBLEVEL'].map((name) =>
    Number(new RegExp(`^${name} *= *(\\d+) *$`, 'm').exec(makefile)?.[1]),
  ) as [number, number, number];
  if (Number.isNaN(major + minor + patch)) throw noTree(tree, 'its Makefile says no version');
  return { major, minor, patch };
}

function readMakefile(tree: string): string {
  try {
    readFileSync(join(tree, 'Kconfig'));
    return readFileSync(join(tree, 'Makefile'), 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) throw noTree(tree, 'it has no Makefile or no Kconfig');
    if (isErrno(error, 'EACCES')) throw noTree(tree, 'it cannot be read');
    throw error;
  }
}

function noTree(tree: string, why: string): KhError {
  return new KhError('USAGE', {
    message: `${tree} is no source of a kernel: ${why}`,
    hint: 'Name the topmost folder of the source, the one with MAINTAINERS in it.',
    details: { tree },
  });
}

function text({ major, minor, patch }: TreeVersion): string {
  return `${major}.${minor}.${patch}`;
}
