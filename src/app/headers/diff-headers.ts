import { compareIndexes, contentOf, type Difference, type Side } from '../../archive/index/compare-indexes';
import { findHeader } from '../../archive/index/find-header';
import type { HeadersIndex } from '../../archive/index/index-file';
import { lineDiff } from '../../archive/index/line-diff';
import { isErrno, KhError } from '../../core/errors';
import { parseAutoconf } from '../../kbuild/kernel-config';
import type { Context } from '../context';
import { fileAt, indexOf } from './headers-index';

export interface DiffOptions {
  /** Which files; none for all. The options of the kernels are compared in any case. */
  globs: string[];
  /** Whether lines are compared, too. */
  lines: boolean;
}

/** What differs between the headers of two kernels. */
export interface HeadersDiff {
  /** Kernel releases. */
  before: string;
  after: string;
  files: FileDifference[];
  /** How many files and links are the same in both. */
  same: number;
  config: OptionDifference[];
}

/** A file or link that only one of the kernels has, or that differs. */
export interface FileDifference {
  path: string;
  status: Difference['status'];
  /** Sizes; of a link, that of its target's path. */
  bytesBefore?: number;
  bytesAfter?: number;
  /** There where lines were compared. */
  insertions?: number;
  deletions?: number;
  patch?: string;
}

/** An option of the kernel's configuration that is not the same. */
export interface OptionDifference {
  /** With CONFIG_ in front. */
  name: string;
  /** As a .config has it, without quotes; absent where it is not set. */
  before?: string;
  after?: string;
}

/**
 * Compares the headers of two kernels.
 *
 * @param names of each an archive file, a workspace (its path, DEVICE, DEVICE/RELEASE) or a kernel release
 * @throws KhError USAGE, WORKSPACE_*, ARCHIVE_*, STORE_*; or the signal's reason
 */
export async function diffHeaders(
  names: { before: string; after: string },
  { globs, lines }: DiffOptions,
  context: Context,
): Promise<HeadersDiff> {
  using before = await indexNamed(names.before, context);
  using after = await indexNamed(names.after, context);
  const { differences, same } = compareIndexes(before, after, globs);
  const files: FileDifference[] = [];
  for (const difference of differences) {
    if (lines) await breath(context.signal);
    files.push(lines ? inLines(difference, before, after) : plain(difference));
  }
  return { before: before.release, after: after.release, files, same, config: optionsOf(before, after) };
}

async function indexNamed(name: string, context: Context): Promise<HeadersIndex> {
  if ((await isFile(name)) === true) return indexOf({ archive: name }, context);
  try {
    return await indexOf({ selection: { workspace: name, serials: [] } }, context);
  } catch (error) {
    if (!(error instanceof KhError && error.code === 'WORKSPACE_NOT_FOUND')) throw error;
  }
  try {
    return await indexOf({ selection: { kernel: name, serials: [] } }, context);
  } catch (error) {
    if (!(error instanceof KhError && error.code === 'WORKSPACE_NOT_FOUND')) throw error;
    throw new KhError('WORKSPACE_NOT_FOUND', {
      message: `${name} is no archive file, and there is no workspace or kernel of that name`,
      hint: error.hint,
      details: error.details,
    });
  }
}

async function isFile(name: string): Promise<boolean | undefined> {
  try {
    return await fileAt(name);
  } catch (error) {
    if (isErrno(error, 'EACCES', 'ELOOP')) return undefined;
    throw error;
  }
}

/** Lets a signal come through. */
async function breath(signal: AbortSignal): Promise<void> {
  await new Promise(setImmediate);
  signal.throwIfAborted();
}

function plain({ path, status, before, after }: Difference): FileDifference {
  return {
    path,
    status,
    ...(before && { bytesBefore: bytesOf(before) }),
    ...(after && { bytesAfter: bytesOf(after) }),
  };
}

function bytesOf(side: Side): number {
  return side.kind === 'file' ? side.size : Buffer.byteLength(side.target);
}

function inLines(difference: Difference, before: HeadersIndex, after: HeadersIndex): FileDifference {
  const { path } = difference;
  const textOf = (index: HeadersIndex, side: Side | undefined) =>
    side && contentOf(index, side).toString('utf8');
  return {
    ...plain(difference),
    ...lineDiff(
      { path, text: textOf(before, difference.before) },
      { path, text: textOf(after, difference.after) },
    ),
  };
}

function optionsOf(before: HeadersIndex, after: HeadersIndex): OptionDifference[] {
  const [old, now] = [optionsIn(before), optionsIn(after)];
  const names = [...new Set([...old.keys(), ...now.keys()])].sort();
  return names.flatMap((name) => {
    const [was, is] = [old.get(name), now.get(name)];
    if (was === is) return [];
    return [
      {
        name: `CONFIG_${name}`,
        ...(was !== undefined && { before: was }),
        ...(is !== undefined && { after: is }),
      },
    ];
  });
}

function optionsIn(index: HeadersIndex): Map<string, string> {
  const header = findHeader(index, 'include/generated/autoconf.h');
  if (header.found !== 'one') return new Map();
  return new Map(parseAutoconf(contentOf(index, header.file).toString('utf8')).entries());
}
