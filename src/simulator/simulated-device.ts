import { createHash, randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultList, type FaultDescription, type StateFaultKind } from './faults';
import { ROOT_UID, SHELL_UID, type FileSystem } from './file-system';
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
  kernel: Kernel;
  properties: Map<string, string>;
  files: FileSystem;
  moduleRules: Omit<ModuleRules, 'release'>;
  /** Modules that are loaded at boot. */
  bootModules: string[];
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
  kernel: Kernel;
  /** The user that adbd runs as. */
  uid: number;
  state: DeviceState;
  attached = true;
  bootId: string = randomUUID();
  readonly #connections = new Set<Connection>();
  readonly #openFiles = new Map<number, { uid: number; paths: string[] }>();
  readonly #timers = new AbortController();
  #nextPid = 1000;
  #busyUntil = 0;

  constructor(readonly parts: DeviceParts) {
    super();
    const { description } = parts;
    this.kernel = parts.kernel;
    this.uid = description.user === 'root' ? ROOT_UID : SHELL_UID;
    this.state = description.state;
    this.faults = new FaultList(description.faults);
    const rules = () => ({ ...parts.moduleRules, release: this.kernel.release });
    this.modules = new KernelModules(this.files, rules, (line) => this.kernelLog.push(line));
    for (const name of parts.bootModules) this.modules.insert(name);
    if (description.readyAfterMs !== undefined)
      this.#later(description.readyAfterMs, () => this.setState('device'));
  }

  get serial(): string {
    return this.parts.description.serial;
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

  /** Pulls the cable. */
  unplug(): void {
    this.#update(() => (this.attached = false));
  }

  /** Puts the cable in again: the adb server gives a new transport id. */
  plug(): void {
    this.#update(() => (this.attached = true));
  }

  setState(state: DeviceState): void {
    this.#update(() => (this.state = state));
  }

  /** Restarts adbd under another user. */
  restartAdbd(uid: number): void {
    this.unplug();
    this.#later(RESTART, () => {
      this.uid = uid;
      this.plug();
    });
  }

  /** Restarts the device, with another kernel if one is given. */
  reboot(kernel: Partial<Kernel> = {}): void {
    this.unplug();
    this.modules.reset();
    this.kernel = { ...this.kernel, ...kernel };
    this.bootId = randomUUID();
    this.kernelLog.length = 0;
    this.uid = this.parts.description.user === 'root' ? ROOT_UID : SHELL_UID;
    for (const name of this.parts.bootModules) this.modules.insert(name);
    this.#later(REBOOT, () => this.plug());
  }

  /** Brings about a fault that is the device's, not one connection's. */
  suffer({ kind, forMs }: FaultDescription<StateFaultKind>): void {
    if (kind === 'gone') {
      this.unplug();
      if (forMs !== undefined) this.#later(forMs, () => this.plug());
    } else {
      this.setState(kind);
      if (forMs !== undefined) this.#later(forMs, () => this.setState('device'));
    }
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
