import { createHash, randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultList, type FaultDescription, type StateFaultKind } from './faults';
import { ROOT_UID, SHELL_UID, type FileNode, type FileSystem } from './file-system';
import { KernelModules, type ModuleRules } from './kernel-modules';
import type { DeviceDescription, DeviceState } from './lab/lab-description';

/** How long adbd takes to come back, in milliseconds. */
const RESTART = 150;
const REBOOT = 400;

/** What a device is made of, ready to be switched on. */
export interface DeviceParts {
  description: Required<
    Pick<
      DeviceDescription,
      'serial' | 'connection' | 'state' | 'user' | 'adbRoot' | 'su' | 'md5sum' | 'sdk' | 'features'
    >
  > &
    Pick<DeviceDescription, 'speed' | 'latency' | 'readyAfterMs' | 'faults'> & {
      devpath: string | undefined;
    };
  image: KernelImage;
  properties: Map<string, string>;
  files: FileSystem;
}

/** What a device boots: a kernel, and the files that come with it. */
export interface KernelImage {
  kernel: Kernel;
  moduleRules: Omit<ModuleRules, 'release'>;
  /** Modules that are loaded at boot. */
  bootModules: string[];
  files: ReadonlyMap<string, FileNode>;
}

export interface Kernel {
  release: string;
  version: string;
  machine: string;
}

/** What was done on a device so far. */
export interface Counters {
  /** Bytes that its services have sent. */
  bytesSent: number;
  /** Services opened, by the word before the colon or comma: shell, exec, sync, root, … */
  services: Record<string, number>;
  md5Computed: number;
  recvStarted: number;
  recvCompleted: number;
  modulesLoaded: number;
  modulesUnloaded: number;
  /** Connections that are with the device at this moment. */
  socketsOpen: number;
}

/** A connection that ends when its device goes. */
export interface Connection {
  end(): void;
}

/**
 * One device: its files, kernel, rights and faults, and whether it is
 * attached. `changed` is emitted when the adb server's list of it changes.
 */
export class SimulatedDevice extends EventEmitter<{ changed: [] }> {
  readonly faults: FaultList;
  readonly modules: KernelModules;
  readonly counters: Counters = {
    bytesSent: 0,
    services: {},
    md5Computed: 0,
    recvStarted: 0,
    recvCompleted: 0,
    modulesLoaded: 0,
    modulesUnloaded: 0,
    socketsOpen: 0,
  };
  readonly kernelLog: string[] = [];
  /** What adb calls it. */
  serial: string;
  /** The user that adbd runs as. */
  uid: number;
  state: DeviceState;
  attached = true;
  bootId: string = randomUUID();
  readonly #connections = new Set<Connection>();
  readonly #openFiles = new Map<number, { uid: number; paths: string[] }>();
  readonly #timers = new AbortController();
  #image: KernelImage;
  #nextPid = 1000;
  #busyUntil = 0;
  /** How often it was away: what ends one absence must not end a later one. */
  #absences = 0;
  /** Aborted when the hang is over. */
  #hung: AbortController | undefined;

  constructor(readonly parts: DeviceParts) {
    super();
    const { description } = parts;
    this.serial = description.serial;
    this.#image = parts.image;
    this.uid = description.user === 'root' ? ROOT_UID : SHELL_UID;
    this.state = description.state;
    this.faults = new FaultList(description.faults);
    const rules = () => ({ ...this.#image.moduleRules, release: this.kernel.release });
    this.modules = new KernelModules(this.files, rules, (line) => this.kernelLog.push(line));
    this.#boot(parts.image);
    if (description.readyAfterMs !== undefined)
      this.#later(description.readyAfterMs, () => this.setState('device'));
  }

  get kernel(): Kernel {
    return this.#image.kernel;
  }

  get files(): FileSystem {
    return this.parts.files;
  }

  get properties(): Map<string, string> {
    return this.parts.properties;
  }

  newPid(): number {
    this.#nextPid += 1;
    return this.#nextPid;
  }

  /** Processes with open files, as /proc shows them. */
  processes(): [pid: number, process: { uid: number; paths: string[] }][] {
    return [...this.#openFiles];
  }

  /** Notes that a process has a file open, for /proc/PID/fd. @returns how to note that it was closed */
  noteOpen(pid: number, uid: number, path: string): () => void {
    const process = this.#openFiles.get(pid) ?? { uid, paths: [] };
    this.#openFiles.set(pid, process);
    process.paths.push(path);
    return () => {
      process.paths.splice(process.paths.indexOf(path), 1);
      if (process.paths.length === 0) this.#openFiles.delete(pid);
    };
  }

  addConnection(connection: Connection): void {
    this.#connections.add(connection);
    this.counters.socketsOpen = this.#connections.size;
  }

  removeConnection(connection: Connection): void {
    this.#connections.delete(connection);
    this.counters.socketsOpen = this.#connections.size;
  }

  countService(name: string): void {
    this.counters.services[name] = (this.counters.services[name] ?? 0) + 1;
  }

  /** Waits as long as so many bytes take at the device's speed; its services share it. */
  async pace(bytes: number, signal: AbortSignal): Promise<void> {
    const { speed } = this.parts.description;
    if (speed === undefined) return;
    const now = performance.now();
    this.#busyUntil = Math.max(now, this.#busyUntil) + (bytes / speed) * 1000;
    await sleep(this.#busyUntil - now, undefined, { signal });
  }

  /** Pulls the cable. @param forMs after so long it is in again; for good, when left out */
  unplug(forMs?: number): void {
    this.#absences += 1;
    const absence = this.#absences;
    this.#update(() => (this.attached = false));
    if (forMs !== undefined) {
      this.#later(forMs, () => {
        if (absence === this.#absences) this.plug();
      });
    }
  }

  /** Puts the cable in again: the adb server gives a new transport id. */
  plug(): void {
    this.#absences += 1;
    this.#update(() => (this.attached = true));
  }

  /** @param forMs after so long it is in state `device`; stays, when left out */
  setState(state: DeviceState, forMs?: number): void {
    this.#update(() => (this.state = state));
    if (forMs !== undefined) this.#later(forMs, () => this.setState('device'));
  }

  /** Comes back under another serial, and another transport id. */
  rename(serial: string): void {
    this.unplug();
    this.serial = serial;
    this.plug();
  }

  /** Stays in the list, and sends nothing more. @param forMs after so long it goes on; until a reboot, when left out */
  hang(forMs?: number): void {
    const hung = this.#hung ?? new AbortController();
    this.#hung = hung;
    if (forMs !== undefined) {
      this.#later(forMs, () => {
        if (hung === this.#hung) this.recover();
      });
    }
  }

  /** Goes on after a hang. */
  recover(): void {
    this.#hung?.abort();
    this.#hung = undefined;
  }

  /** Settles when the device does not hang. @throws an error when the signal fires */
  async untilAlive(signal: AbortSignal): Promise<void> {
    while (this.#hung !== undefined) await once(this.#hung.signal, 'abort', { signal });
  }

  /** Restarts adbd under another user. */
  restartAdbd(uid: number): void {
    this.unplug(RESTART);
    this.uid = uid;
  }

  /** Restarts the device, with another kernel if one is given, and is away for so many milliseconds. */
  reboot(image = this.#image, awayMs = REBOOT): void {
    this.unplug(awayMs);
    this.recover();
    this.bootId = randomUUID();
    this.kernelLog.length = 0;
    this.uid = this.parts.description.user === 'root' ? ROOT_UID : SHELL_UID;
    this.#boot(image);
  }

  #boot(image: KernelImage): void {
    this.modules.reset();
    for (const path of this.#image.files.keys()) this.files.uninstall(path);
    this.#image = image;
    this.properties.set('ro.kernel.version', /^\d+\.\d+/.exec(image.kernel.release)?.[0] ?? '');
    for (const [path, file] of image.files) this.files.install(path, file);
    for (const name of image.bootModules) this.modules.insert(name);
  }

  /** Brings about a fault that is the device's, not one connection's. */
  undergo({ kind, forMs }: FaultDescription<StateFaultKind>): void {
    if (kind === 'gone') this.unplug(forMs);
    else this.setState(kind, forMs);
  }

  /** Has a fault from now on. @param forMs for so long; for good, when left out */
  suffer(fault: FaultDescription, forMs?: number): void {
    const end = this.faults.add(fault);
    if (forMs !== undefined) this.#later(forMs, end);
  }

  /** Switches the device off for good. */
  dispose(): void {
    this.#timers.abort();
    this.removeAllListeners();
    this.#endConnections();
  }

  /** A change of the transport ends all that runs over it, as in adb. */
  #update(change: () => void): void {
    change();
    this.#endConnections();
    this.emit('changed');
  }

  #endConnections(): void {
    for (const connection of this.#connections) connection.end();
  }

  #later(milliseconds: number, action: () => void): void {
    sleep(milliseconds, undefined, { signal: this.#timers.signal, ref: false }).then(action, () => undefined);
  }
}

const digests = new WeakMap<Buffer, Map<string, string>>();

/** The digest of bytes that many devices may share: computed once. */
export function digestOf(content: Buffer, algorithm: string): string {
  const known = digests.get(content) ?? new Map<string, string>();
  digests.set(content, known);
  const digest = known.get(algorithm) ?? createHash(algorithm).update(content).digest('hex');
  known.set(algorithm, digest);
  return digest;
}
