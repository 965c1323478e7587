import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { makeSampleArchive } from '../../archive/sample-archive';
import { KhError } from '../../core/errors';
import type { Kernel } from '../simulated-device';
import type { ArchiveDescription } from './lab-description';

/** The archives of a lab: each is read or made once, and shared by all devices that have it. */
export class LabArchives {
  readonly #files = new Map<string, Promise<Buffer>>();
  readonly #samples = new Map<string, Promise<Buffer>>();
  readonly #derived = new WeakMap<Buffer, Map<string, Buffer>>();

  /** @param folder what paths in the lab file are relative to */
  constructor(private readonly folder: string) {}

  /** @throws KhError USAGE where a file can't be read; XZ_UNAVAILABLE where a sample can't be made */
  async bytesOf(archive: ArchiveDescription, kernel: Kernel): Promise<Buffer> {
    if (Buffer.isBuffer(archive)) return archive;
    if (typeof archive === 'string' && archive !== 'sample') return this.read(archive);
    const { release, machine } = kernel;
    const options = { release, machine, ...(typeof archive === 'string' ? {} : archive.sample) };
    return once(this.#samples, JSON.stringify(options), () => makeSampleArchive(options));
  }

  /** A file beside the lab file. @throws KhError USAGE */
  read(path: string): Promise<Buffer> {
    const whole = resolve(this.folder, path);
    return once(this.#files, whole, async () => {
      try {
        return await readFile(whole);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new KhError('USAGE', { message: `the lab names a file that can't be read: ${reason}`, cause });
      }
    });
  }

  /** What is made of an archive, made once for each `key`. */
  share(key: string, archive: Buffer, make: () => Buffer): Buffer {
    const derived = this.#derived.get(archive) ?? new Map<string, Buffer>();
    this.#derived.set(archive, derived);
    const made = derived.get(key) ?? make();
    derived.set(key, made);
    return made;
  }
}

function once(
  known: Map<string, Promise<Buffer>>,
  key: string,
  make: () => Promise<Buffer>,
): Promise<Buffer> {
  const made = known.get(key) ?? make();
  known.set(key, made);
  return made;
}
