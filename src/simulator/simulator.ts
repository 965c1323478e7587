import { setMaxListeners } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { KhError } from '../core/errors';
import type { FaultDescription } from './faults';
import { furnishDevice } from './lab/furnish-device';
import { LabArchives } from './lab/lab-archives';
import { atTimes, rebootImage, startChanges } from './lab/lab-changes';
import type { BootDescription, DeviceDescription, DeviceState, LabDescription } from './lab/lab-description';
import { expandClones } from './lab/read-lab';
import { validateLab } from './lab/validate-lab';
import { ClientConnection, ConnectionClosed } from './protocol/connection';
import { serveClient, type ServerTraits } from './protocol/host-services';
import { Transports } from './protocol/transports';
import type { Counters, Kernel, SimulatedDevice } from './simulated-device';

export interface SimulatorOptions {
  /** 0, or none, for any that is free. */
  port?: number;
  /** Loopback, when left out. */
  host?: string;
  /** What paths in the lab are relative to; the working folder, when left out. */
  folder?: string;
}

/** A device of a simulator, to be handled while clients use it. */
export interface DeviceHandle {
  /** The present one: `rename` changes it. */
  readonly serial: string;
  /** `ro.serialno` */
  readonly serialno: string;
  readonly kernel: Kernel;
  readonly counters: Readonly<Counters>;
  /** Whether the cable is in. */
  readonly attached: boolean;
  /**
   * Pulls the cable: the transport goes, and every connection to the device
   * ends. With `forMs`, `plug` follows after so many milliseconds.
   */
  unplug(forMs?: number): void;
  /** Puts it in again, under a new transport id. */
  plug(): void;
  /** Goes away and comes back after `awayMs` (400), with another boot id and the same kernel. */
  reboot(awayMs?: number): void;
  /** The same into another kernel, with headers of its own; a field that is left out stays as it was described. */
  rebootInto(boot: Pick<BootDescription, 'kernel' | 'headers'>, awayMs?: number): Promise<void>;
  /** Comes back under another serial, as a phone does that moves from the cable to the network. */
  rename(serial: string): void;
  /** Stays in the list and takes connections, but sends nothing more until `forMs` is over, `recover` or a reboot. */
  hang(forMs?: number): void;
  recover(): void;
  /** With `forMs`, it is in state `device` after so many milliseconds. */
  setState(state: DeviceState, forMs?: number): void;
  /** @returns how to take the fault away again */
  addFault(fault: FaultDescription): () => void;
  clearFaults(): void;
  /** The modules that are loaded now. */
  modules(): string[];
  /** Loads a module, as someone else on the device would. */
  loadModule(name: string): void;
  unloadModule(name: string): void;
  /** The content of a file, as root reads it; undefined where there is none. */
  readFile(path: string): Buffer | undefined;
}

export interface Simulator {
  readonly host: string;
  readonly port: number;
  /** `host:port` */
  readonly address: string;
  /** In the lab's order. */
  readonly devices: readonly DeviceHandle[];
  /** Failures of the simulator itself: bugs, for tests to look at. */
  readonly errors: readonly unknown[];
  /** The device that has this serial now. @throws RangeError for a serial that is not in the lab */
  device(serial: string): DeviceHandle;
  /**
   * Ends every connection and listens again on the same port, as `adb
   * kill-server` and a new start would. For `downMs` (0) no one listens there.
   */
  restart(downMs?: number): Promise<void>;
  close(): Promise<void>;
}

const ADB: ServerTraits = {
  version: 41,
  features: ['shell_v2', 'cmd', 'stat_v2', 'apex', 'fixed_push_mkdir', 'fixed_push_symlink_timestamp'],
};

/**
 * Starts an adb server with simulated devices.
 *
 * @throws KhError USAGE for a lab that is not valid, or a port that is taken; XZ_UNAVAILABLE
 */
export async function startSimulator(
  lab: LabDescription,
  options: SimulatorOptions = {},
): Promise<Simulator> {
  const { host = '127.0.0.1', port = 0, folder = process.cwd() } = options;
  const archives = new LabArchives(folder);
  const descriptions = expandClones(validateLab(lab).devices);
  const furnished: [SimulatedDevice, DeviceDescription][] = [];
  for (const [number, description] of descriptions.entries()) {
    furnished.push([await furnishDevice(description, number, archives), description]);
  }
  const devices = furnished.map(([device]) => device);
  const handles = furnished.map(([device, description]) => handleOf(device, description, archives));
  const listener = new Listener(devices, { ...ADB, ...lab.adb });
  await listener.listen(host, port);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal); // each change to come listens
  const until = { signal: closing.signal, onError: (error: unknown) => listener.errors.push(error) };
  const simulator = simulatorOf(listener, handles, { host, port: listener.port }, closing);
  for (const [device, description] of furnished) startChanges(device, description, archives, until);
  const { restarts } = lab.adb ?? {};
  if (restarts !== undefined) atTimes(restarts, () => simulator.restart(restarts.forMs), until);
  return simulator;
}

function simulatorOf(
  listener: Listener,
  devices: readonly DeviceHandle[],
  { host, port }: { host: string; port: number },
  closing: AbortController,
): Simulator {
  return {
    host,
    port,
    address: `${host}:${port}`,
    devices,
    errors: listener.errors,
    device: (serial) => {
      const handle = devices.find((device) => device.serial === serial);
      if (handle === undefined) throw new RangeError(`the lab has no device ${serial}`);
      return handle;
    },
    restart: async (downMs = 0) => {
      await listener.stop();
      if (downMs > 0) await sleep(downMs);
      if (!closing.signal.aborted) await listener.listen(host, port);
    },
    close: async () => {
      closing.abort();
      await listener.close();
    },
  };
}

function handleOf(
  device: SimulatedDevice,
  description: DeviceDescription,
  archives: LabArchives,
): DeviceHandle {
  return {
    get serial() {
      return device.serial;
    },
    serialno: device.properties.get('ro.serialno') ?? '',
    get kernel() {
      return device.kernel;
    },
    get attached() {
      return device.attached;
    },
    counters: device.counters,
    unplug: (forMs) => device.unplug(forMs),
    plug: () => device.plug(),
    reboot: (awayMs) => device.reboot(undefined, awayMs),
    rebootInto: async (boot, awayMs) => device.reboot(await rebootImage(boot, description, archives), awayMs),
    rename: (serial) => device.rename(serial),
    hang: (forMs) => device.hang(forMs),
    recover: () => device.recover(),
    setState: (state, forMs) => device.setState(state, forMs),
    addFault: (fault) => device.faults.add(fault),
    clearFaults: () => device.faults.clear(),
    modules: () => device.modules.names(),
    loadModule: (name) => device.modules.insert(name),
    unloadModule: (name) => device.modules.unload(name, 0),
    readFile: (path) => (device.files.exists(path) ? device.files.read(path, 0) : undefined),
  };
}

/** The port, and the clients on it. */
class Listener {
  readonly errors: unknown[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #transports: Transports;
  #server: Server | undefined;

  constructor(
    private readonly devices: readonly SimulatedDevice[],
    private readonly adb: ServerTraits,
  ) {
    this.#transports = new Transports(devices);
  }

  get port(): number {
    return (this.#server?.address() as AddressInfo).port;
  }

  listen(host: string, port: number): Promise<void> {
    const server = createServer((socket) => void this.#serve(socket));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', (cause) => reject(listenError(host, port, cause)));
      server.listen(port, host, 1024, () => resolve());
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  /** Stops, and switches the devices off. */
  async close(): Promise<void> {
    for (const device of this.devices) device.dispose();
    await this.stop();
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const connection = new ClientConnection(socket);
    try {
      await serveClient(connection, { transports: this.#transports, adb: this.adb });
    } catch (error) {
      if (error instanceof ConnectionClosed || socket.destroyed) return; // the client left, or was sent away
      this.errors.push(error);
      socket.destroy();
    }
  }
}

function listenError(host: string, port: number, cause: NodeJS.ErrnoException): KhError {
  const taken = cause.code === 'EADDRINUSE';
  return new KhError('USAGE', {
    message: `can't listen on ${host}:${port}: ${taken ? 'the port is taken' : cause.message}`,
    hint: taken
      ? `Choose another with --port, or none for any that is free. An adb server that has it goes with \`adb -P ${port} kill-server\`.`
      : undefined,
    cause,
  });
}
