import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { KhError } from '../core/errors';
import type { FaultDescription } from './faults';
import { furnishDevice } from './lab/furnish-device';
import { LabArchives } from './lab/lab-archives';
import type { AdbDescription, DeviceState, LabDescription } from './lab/lab-description';
import { expandClones } from './lab/read-lab';
import { validateLab } from './lab/validate-lab';
import { ClientConnection, ConnectionClosed } from './protocol/connection';
import { serveClient } from './protocol/host-services';
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
  readonly serial: string;
  /** `ro.serialno` */
  readonly serialno: string;
  readonly kernel: Kernel;
  readonly counters: Readonly<Counters>;
  /** Pulls the cable: the transport goes, and every connection to the device ends. */
  unplug(): void;
  /** Puts it in again, under a new transport id. */
  plug(): void;
  /** Goes away and comes back a little later, with another boot id, and another kernel if one is given. */
  reboot(kernel?: Partial<Kernel>): void;
  setState(state: DeviceState): void;
  addFault(fault: FaultDescription): void;
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
  /** @throws RangeError for a serial that is not in the lab */
  device(serial: string): DeviceHandle;
  /** Ends every connection and listens again on the same port, as `adb kill-server` and a new start would. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const ADB: Required<AdbDescription> = {
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
  const devices: SimulatedDevice[] = [];
  for (const [number, description] of descriptions.entries()) {
    devices.push(await furnishDevice(description, number, archives));
  }
  const listener = new Listener(devices, { ...ADB, ...lab.adb });
  await listener.listen(host, port);
  return simulatorOf(listener, devices, host);
}

function simulatorOf(listener: Listener, devices: readonly SimulatedDevice[], host: string): Simulator {
  const { port } = listener;
  const handles = new Map(devices.map((device) => [device.serial, handleOf(device)]));
  return {
    host,
    port,
    address: `${host}:${port}`,
    devices: [...handles.values()],
    errors: listener.errors,
    device: (serial) => {
      const handle = handles.get(serial);
      if (handle === undefined) throw new RangeError(`the lab has no device ${serial}`);
      return handle;
    },
    restart: async () => {
      await listener.stop();
      await listener.listen(host, port);
    },
    close: async () => {
      for (const device of devices) device.dispose();
      await listener.stop();
    },
  };
}

function handleOf(device: SimulatedDevice): DeviceHandle {
  return {
    serial: device.serial,
    serialno: device.properties.get('ro.serialno') ?? '',
    get kernel() {
      return device.kernel;
    },
    counters: device.counters,
    unplug: () => device.unplug(),
    plug: () => device.plug(),
    reboot: (kernel) => device.reboot(kernel),
    setState: (state) => device.setState(state),
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
    devices: readonly SimulatedDevice[],
    private readonly adb: Required<AdbDescription>,
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
    hint: taken ? 'Choose another with --port, or none for any that is free.' : undefined,
    cause,
  });
}
