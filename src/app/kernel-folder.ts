import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { makeKdir } from '../kbuild/kdir/make-kdir';
import type { KernelArch } from '../kbuild/kernel-config';
import { prepareKernelSource } from '../kbuild/kernel-source/prepare-source';
import type { ToolchainChoice } from '../kbuild/toolchain/candidates';
import { findMake } from '../kbuild/toolchain/find-make';
import type { Toolchain } from '../kbuild/toolchain/toolchain';
import { treePath } from '../store/archives';
import { withLock } from '../store/lock';
import { buildersKey } from '../store/sharing';
import type { Context } from './context';
import type { KernelWorkspace } from './kernel-workspace';
import { kernelSourceFolder } from './packed-source';

/** What modules are to be built with. */
export interface BuiltWith {
  toolchain: ToolchainChoice;
  /** The full source of the kernel, whose own build is to be used in place of kh's; or `PACKED`. */
  kernelSource?: string;
}

/** A kernel to build modules for. */
export interface FolderRequest {
  kernel: KernelWorkspace;
  /** The kernel's exports in five columns, where they are known. */
  symversPath: string | undefined;
  /** Of the device that is reported on. */
  serial: string;
}

/** Where `make -C` builds modules for a kernel. */
export interface KernelFolder {
  kdirPath: string;
  arch: KernelArch;
  toolchain: Toolchain;
  /** What is left out, and what differs from the kernel's own build, in sentences. */
  notes: string[];
}

/** No device is asked. */
export type FolderContext = Pick<Context, 'store' | 'signal' | 'emit'>;

/**
 * The folder that make is pointed to for a kernel's modules, brought up to
 * date: the workspace's `kdir`, or what a kernel source was made ready in.
 *
 * @throws KhError as `makeKdir`, `kernelSourceFolder` and `prepareKernelSource`; TIMEOUT
 */
export async function kernelFolder(
  request: FolderRequest,
  { toolchain: choice, kernelSource }: BuiltWith,
  context: FolderContext,
): Promise<KernelFolder> {
  const { kernel, symversPath } = request;
  const { store, signal } = context;
  if (kernelSource !== undefined) {
    const tree = await kernelSourceFolder(store, kernelSource, kernel);
    return sourceFolder(request, tree, choice, context);
  }
  const kdirPath = join(kernel.workspace, 'kdir');
  const headersPath = treePath(store, kernel.sha256);
  const made = await makeKdir({ kdirPath, headersPath, symversPath, choice, signal });
  return { ...made, kdirPath };
}

/** Another kh may be preparing the same source: milliseconds. */
const LONGEST_PREPARATION = 20 * 60_000;

/** A kernel source is prepared once for each workspace, and again when it changes. */
async function sourceFolder(
  { kernel, symversPath, serial }: FolderRequest,
  tree: string,
  choice: ToolchainChoice,
  { store, signal, emit }: FolderContext,
): Promise<KernelFolder> {
  const make = await findMake(signal);
  const name = createHash('sha256')
    .update(`${tree}${buildersKey(store)}`)
    .digest('hex')
    .slice(0, 12);
  const path = join(kernel.workspace, 'kernel-source', name);
  const headers = { headersPath: treePath(store, kernel.sha256), headersDigest: kernel.sha256 };
  const prepare = async () => {
    let start: number | undefined;
    const onPreparing = (why: 'first' | 'changed') => {
      start = performance.now();
      emit({ type: 'source.preparing', serial, tree, why });
    };
    const inputs = { tree, path, ...headers, symversPath, choice, make, onPreparing, signal };
    const prepared = await prepareKernelSource(inputs);
    if (start === undefined) return prepared;
    emit({ type: 'source.prepared', serial, tree, milliseconds: Math.round(performance.now() - start) });
    return prepared;
  };
  return withLock(store, `kernel-source-${path.slice(store.workspaces.length + 1)}`, prepare, {
    signal,
    wait: LONGEST_PREPARATION,
    onWait: () => emit({ type: 'pull.waiting', serial, why: 'another kh is preparing the kernel source' }),
  });
}
