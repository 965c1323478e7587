import { SystemCallError, type Errno } from './errno';
import { ROOT_UID, type FileNode, type FileSystem } from './file-system';

/** A file that is there for as long as a module is loaded. */
export interface ModuleFile {
  path: string;
  content: Buffer;
  pageSize: number;
}

export interface ModuleRules {
  /** `uname -r`: a module whose vermagic begins otherwise is refused. */
  release: string;
  /** What appears with a module, by the module's name. */
  files: Map<string, ModuleFile>;
  /** Modules that this kernel refuses, and how. */
  refused: Map<string, Errno>;
}

const ELF = Buffer.from('\x7fELF', 'latin1');
/** Where modinfo strings are looked for; those of `makeModule` come first in the file. */
const MODINFO_BYTES = 65536;

/** The modules that a simulated kernel has loaded. */
export class KernelModules {
  readonly #loaded = new Map<
    string,
    { size: number; file: FileNode | undefined; path: string | undefined }
  >();

  constructor(
    private readonly fileSystem: FileSystem,
    private readonly rules: () => ModuleRules,
    private readonly log: (line: string) => void,
  ) {}

  names(): string[] {
    return [...this.#loaded.keys()];
  }

  /** The text of /proc/modules. */
  table(): string {
    return [...this.#loaded]
      .reverse()
      .map(([name, { size }]) => `${name} ${size} 0 - Live 0x0000000000000000\n`)
      .join('');
  }

  /** finit_module(2). @throws SystemCallError EPERM, ENOEXEC, EEXIST, and what the rules refuse with */
  load(content: Buffer, fallbackName: string, uid: number): void {
    if (uid !== ROOT_UID) throw new SystemCallError('EPERM');
    if (!content.subarray(0, 4).equals(ELF)) throw new SystemCallError('ENOEXEC');
    const info = content.subarray(0, MODINFO_BYTES).toString('latin1');
    const name = modinfo(info, 'name') ?? fallbackName;
    const { release, refused } = this.rules();
    const errno = refused.get(name);
    if (errno !== undefined) throw new SystemCallError(errno);
    const vermagic = modinfo(info, 'vermagic');
    if (vermagic !== undefined && vermagic.split(' ')[0] !== release) {
      const expected = [release, ...vermagic.split(' ').slice(1)].join(' ');
      this.log(`${name}: version magic '${vermagic}' should be '${expected}'`);
      throw new SystemCallError('ENOEXEC');
    }
    if (this.#loaded.has(name)) throw new SystemCallError('EEXIST');
    this.insert(name, content.length);
  }

  /** As if loaded at boot: no one is asked. */
  insert(name: string, size = 16384): void {
    const appears = this.rules().files.get(name);
    let file: FileNode | undefined;
    if (appears !== undefined) {
      const { path, content, pageSize } = appears;
      file = {
        kind: 'file',
        content,
        pageSize,
        mode: 0o444,
        uid: ROOT_UID,
        mtime: Math.floor(Date.now() / 1000),
      };
      this.fileSystem.install(path, file);
    }
    this.#loaded.set(name, { size, file, path: appears?.path });
  }

  /** delete_module(2). @throws SystemCallError EPERM, ENOENT */
  unload(name: string, uid: number): void {
    if (uid !== ROOT_UID) throw new SystemCallError('EPERM');
    const module = this.#loaded.get(name);
    if (module === undefined) throw new SystemCallError('ENOENT');
    this.#loaded.delete(name);
    if (module.file !== undefined) module.file.gone = true;
    if (module.path !== undefined) this.fileSystem.uninstall(module.path);
  }

  /** Back to how the kernel starts. */
  reset(): void {
    for (const name of this.names()) this.unload(name, ROOT_UID);
  }
}

/** The bytes of a .ko that `KernelModules` takes: an ELF header's first bytes, modinfo strings, and `payload`. */
export function makeModule(name: string, release: string, payload: Buffer = Buffer.alloc(0)): Buffer {
  const vermagic = `${release} SMP preempt mod_unload modversions aarch64`;
  const info = ['license=GPL v2', `name=${name}`, 'depends=', 'intree=Y', `vermagic=${vermagic}`];
  const header = Buffer.concat([ELF, Buffer.from([2, 1, 1, 0]), Buffer.alloc(56)]);
  return Buffer.concat([header, Buffer.from(`${info.join('\0')}\0`, 'latin1'), payload]);
}

function modinfo(info: string, key: string): string | undefined {
  return new RegExp(`\\0${key}=([^\\0]*)\\0`).exec(info)?.[1];
}
