import { join } from 'node:path';
import { KhError } from '../core/errors';
import type { SymversSource } from '../kbuild/symvers/merge-sources';
import { formatSymvers, parseSymvers } from '../kbuild/symvers/symvers-file';
import { refuseNewer } from '../store/json-fields';
import type { Store } from '../store/layout';
import { readIfThere, writeWhole } from '../store/whole-file';
import type { KernelWorkspace } from './kernel-workspace';

/** What one look at a kernel gave. */
export interface Reading {
  sources: SymversSource[];
  /** What could not be read, and why. */
  notes: string[];
  /** Bytes of the `struct module` of the device's modules, where all have the same. */
  thisModuleSize?: number;
}

/** What was read of a kernel, to check other sources against without asking the device again. */
export interface Readings {
  /** Its image: the boot partition, or a file that proved to hold this very kernel. */
  image?: Reading;
  /** The modules on its device. */
  modules?: Reading;
}

/** The kernel's exports in five columns, beside its headers. */
export function symversPath({ workspace }: KernelWorkspace): string {
  return join(workspace, 'Module.symvers');
}

/**
 * By what a kernel's exports are known again. The archive's digest alone does
 * not do: the types that CRCs are made of are in sources too, which the
 * archive lacks. With the build's number and time (`uname -v`) it does, as a
 * kernel that is built again gets others; and what is flashed meanwhile does
 * not count until it runs.
 */
export function kernelKey({ sha256, release, version }: KernelWorkspace): Record<string, string> {
  return { archive: sha256, release, version };
}

/** True for a record that was written for this very kernel. */
export function isFor(kernel: KernelWorkspace, record: unknown): boolean {
  if (typeof record !== 'object' || record === null) return false;
  const kept = record as Record<string, unknown>;
  return Object.entries(kernelKey(kernel)).every(([name, value]) => kept[name] === value);
}

const FORM = 1;

interface KeptSource {
  name: string;
  symvers: string;
  uses?: Record<string, number>;
}

/** What was kept for this kernel; nothing where that is damaged, or of another kernel. @throws KhError STORE_* */
export async function readReadings(kernel: KernelWorkspace): Promise<Readings> {
  const text = await readIfThere(readingsPath(kernel));
  if (text === undefined) return {};
  refuseNewer(text, { path: readingsPath(kernel), kind: 'readings', version: FORM });
  try {
    const kept = JSON.parse(text) as { readings?: unknown; image?: KeptReading; modules?: KeptReading };
    if (kept.readings !== FORM || !isFor(kernel, kept)) return {};
    const { image, modules } = kept;
    return { ...(image && { image: unpacked(image) }), ...(modules && { modules: unpacked(modules) }) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof KhError) return {};
    throw error;
  }
}

/**
 * Keeps what was read of a kernel.
 *
 * @throws KhError STORE_*
 */
export async function keepReadings(store: Store, kernel: KernelWorkspace, readings: Readings): Promise<void> {
  const { image, modules } = readings;
  const kept = {
    readings: FORM,
    ...kernelKey(kernel),
    ...(image && { image: packed(image) }),
    ...(modules && { modules: packed(modules) }),
  };
  await writeWhole(store, readingsPath(kernel), `${JSON.stringify(kept)}\n`);
}

type KeptReading = Omit<Reading, 'sources'> & { sources: KeptSource[] };

function readingsPath({ workspace }: KernelWorkspace): string {
  return join(workspace, 'symvers-readings.json');
}

function packed({ sources, ...rest }: Reading): KeptReading {
  const kept = sources.map(({ name, entries, uses }) => ({
    name,
    symvers: formatSymvers(entries),
    ...(uses && { uses: Object.fromEntries(uses) }),
  }));
  return { ...rest, sources: kept };
}

function unpacked({ sources, ...rest }: KeptReading): Reading {
  return {
    sources: sources.map(({ name, symvers, uses }) => ({
      name,
      entries: parseSymvers(symvers, name),
      ...(uses && { uses: new Map(Object.entries(uses)) }),
    })),
    ...rest,
  };
}
