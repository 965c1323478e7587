import { join } from 'node:path';
import { removeTree } from '../store/stage';
import type { SymversEntry } from '../kbuild/symvers/symvers-file';
import type { Workspace } from '../store/workspaces';
import type { Context } from './context';
import type { ImportSource } from './import-source';
import { kernelOf } from './kernel-workspace';
import { recoverSymvers } from './recover-symvers';
import { keepReadings, readReadings } from './symvers-readings';

/** A `Module.symvers` of the kernel's build. */
export interface NamedSymvers {
  symversPath?: string | undefined;
  /** As in `SymversOptions`. */
  symversEntries?: SymversEntry[] | undefined;
}

/**
 * Keeps beside a workspace what an image and a file tell of the kernel's exports.
 *
 * @returns how many symbols are known; undefined where nothing tells of them
 * @throws KhError BUILD_BAD_SYMVERS, USAGE, STORE_*
 */
export async function keepSymbols(
  workspace: Workspace,
  { path, symvers }: ImportSource,
  { symversPath, symversEntries }: NamedSymvers,
  context: Context,
): Promise<number | undefined> {
  if (symvers === undefined && symversPath === undefined) return undefined;
  const kernel = kernelOf(workspace);
  const readings = await readReadings(kernel);
  if (symvers !== undefined && readings.image === undefined) {
    const image = { sources: [{ name: path, entries: symvers }], notes: [] };
    await keepReadings(context.store, kernel, { ...readings, image });
    // What was made of less is made again.
    await removeTree(join(workspace.path, 'symvers.json'));
  }
  const named = {
    ...(symversPath === undefined ? {} : { symversPath }),
    ...(symversEntries === undefined ? {} : { symversEntries }),
  };
  return (await recoverSymvers({ kernel }, { privilege: 'none', force: false, ...named }, context)).symbols;
}
