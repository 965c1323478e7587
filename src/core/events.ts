import type { ErrorReport } from './errors';

/** Where the archive sits: in the kernel itself, or in a module that has to be loaded. */
export type HeadersOrigin = 'built-in' | 'module';

/** How the right to read the archive was come by. */
export type Privilege = 'plain' | 'adb-root' | 'su';

/** What the archive was checked against, and with what outcome. */
export interface Verdict {
  /** `trusted`: a manifest names these bytes; `unverified`: no manifest, or none that knows this kernel. */
  trust: 'trusted' | 'unverified';
  /** The checks that passed. `device-md5` is absent where the device has no md5sum. */
  checks: ('size' | 'device-md5' | 'manifest' | 'xz' | 'required-files' | 'release')[];
  /** The manifest consulted, if any. */
  manifest?: { path: string; form: string; digest: 'md5' | 'sha256' };
}

/** Why nothing had to be transferred. */
export type KnownBy = 'same-boot' | 'device-md5' | 'concurrent-pull';

/**
 * All that kh reports while it works. One reader per audience: task list,
 * plain lines, NDJSON. Every event about a device carries its adb serial and,
 * where the run is over several adb servers, the name of its server.
 */
export type KhEvent = Happening & { server?: string };

type Happening =
  | { type: 'device.waiting'; serial: string; state: string }
  | { type: 'device.selected'; serial: string; model: string | undefined }
  | { type: 'kernel.identified'; serial: string; release: string; machine: string }
  | { type: 'privilege.raised'; serial: string; privilege: Privilege }
  | { type: 'module.loaded'; serial: string; path: string }
  | { type: 'module.unloaded'; serial: string; path: string }
  | { type: 'module.inserted'; serial: string; module: string }
  | { type: 'module.removed'; serial: string; module: string }
  | { type: 'kernel.said'; serial: string; text: string; meaning?: string }
  | { type: 'headers.located'; serial: string; path: string; origin: HeadersOrigin; bytes: number }
  | { type: 'pull.progress'; serial: string; bytes: number; totalBytes: number }
  | { type: 'pull.waiting'; serial: string; why: string }
  | { type: 'archive.known'; serial: string; sha256: string; by: KnownBy }
  | {
      type: 'archive.received';
      serial: string;
      sha256: string;
      md5: string;
      bytes: number;
      milliseconds: number;
    }
  | { type: 'tree.extracted'; serial: string; entries: number; bytes: number }
  | { type: 'headers.ready'; serial: string; release: string; workspace: string; verdict: Verdict }
  /** An archive is made of a kernel build. `serial` is the archive's file name. */
  | { type: 'pack.progress'; serial: string; entries: number; totalEntries: number }
  | { type: 'pack.finished'; serial: string; bytes: number; unchanged: boolean; milliseconds: number }
  /** A kernel source is made ready for building modules with it, which takes a minute or so. */
  | { type: 'source.preparing'; serial: string; tree: string; why: 'first' | 'changed' }
  | { type: 'source.prepared'; serial: string; tree: string; milliseconds: number }
  | { type: 'build.started'; serial: string; source: string }
  /** What make and the compiler say, as it comes. */
  | { type: 'build.output'; serial: string; text: string }
  | { type: 'build.finished'; serial: string; path: string; milliseconds: number }
  /** A large image is searched; its file's name stands for a serial. */
  | { type: 'image.searching'; serial: string; bytes: number; totalBytes: number }
  | { type: 'image.searched'; serial: string; bytes: number; milliseconds: number }
  | { type: 'device.failed'; serial: string; error: ErrorReport }
  | { type: 'warning'; serial?: string; message: string };

export type Emit = (event: KhEvent) => void;
