import { setImmediate as nextTurn } from 'node:timers/promises';
import { WIRE_FAULTS, type FaultDescription, type FaultPoint, type WireFaultKind } from '../faults';
import type { SimulatedDevice } from '../simulated-device';
import { ConnectionClosed, type ClientConnection } from './connection';

const GARBAGE = Buffer.alloc(64, 0xa5);
const DRIBBLED = 2048;
/** With a speed to keep, no more than this goes out at once. */
const PACED_PIECE = 16384;

type WireFault = FaultDescription<WireFaultKind>;

/** What a device sends on one connection: counted, at the device's speed, and with its faults. */
export class Wire {
  #fault: WireFault | undefined;
  #sent = 0;

  constructor(
    readonly connection: ClientConnection,
    readonly device: SimulatedDevice,
    /** The adb server answers some questions about a device by itself: at its own speed, and while the device hangs. */
    private readonly origin: 'device' | 'server' = 'device',
  ) {}

  /** A service begins its answer: the fault that is due for it, if any, counts bytes from here. */
  begin(point: FaultPoint, subject: string): void {
    this.#sent = 0;
    this.#fault = this.device.faults.strike(point, WIRE_FAULTS, subject);
  }

  /** @throws ConnectionClosed */
  async write(bytes: Buffer): Promise<void> {
    const fault = this.#fault;
    const room = fault === undefined ? Infinity : (fault.at ?? 0) - this.#sent;
    if (fault === undefined || bytes.length <= room) {
      await this.#send(bytes);
      return;
    }
    await this.#send(bytes.subarray(0, room));
    const rest = bytes.subarray(room);
    this.#fault = undefined;
    await this.#strike(fault, rest);
  }

  /** The answer is complete: a fault at its last byte strikes now; one further on never does. */
  async finish(): Promise<void> {
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault !== undefined && (fault.at ?? 0) <= this.#sent) await this.#strike(fault, Buffer.alloc(0));
  }

  async #strike(fault: WireFault, rest: Buffer): Promise<void> {
    switch (fault.kind) {
      case 'hang':
        return this.connection.hang();
      case 'close':
        this.connection.end();
        throw new ConnectionClosed();
      case 'garbage':
        await this.#send(GARBAGE);
        return this.#send(rest);
      case 'dribble':
        return this.#dribble(rest);
      case 'wrong-length':
        return this.#send(withByteIncreased(rest));
      case 'unauthorized':
      case 'offline':
      case 'gone':
        this.device.undergo({ ...fault, kind: fault.kind });
        throw new ConnectionClosed();
    }
  }

  /** Byte by byte, each in a packet of its own; after a while at full speed again. */
  async #dribble(bytes: Buffer): Promise<void> {
    const slow = bytes.subarray(0, DRIBBLED);
    for (let at = 0; at < slow.length; at += 1) {
      await this.#send(slow.subarray(at, at + 1));
      await nextTurn();
    }
    await this.#send(bytes.subarray(slow.length));
  }

  async #send(bytes: Buffer): Promise<void> {
    if (this.origin === 'server') {
      this.#sent += bytes.length;
      return this.connection.write(bytes);
    }
    const paced = this.device.parts.description.speed !== undefined;
    const piece = paced ? PACED_PIECE : Math.max(bytes.length, 1);
    for (let at = 0; at < bytes.length; at += piece) {
      const part = bytes.subarray(at, at + piece);
      await this.device.untilAlive(this.connection.signal);
      if (paced) await this.device.pace(part.length, this.connection.signal);
      await this.connection.write(part);
      this.#sent += part.length;
      this.device.counters.bytesSent += part.length;
    }
  }
}

function withByteIncreased(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy.writeUInt8((copy.readUInt8(0) + 1) & 0xff, 0);
  return copy;
}
