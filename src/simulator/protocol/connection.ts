import { once } from 'node:events';
import type { Socket } from 'node:net';

/** The other side went away, or was sent away. */
export class ConnectionClosed extends Error {
  constructor() {
    super('the connection is closed');
    this.name = 'ConnectionClosed';
  }
}

/** One client's socket, read by the byte and written with back pressure. */
export class ClientConnection {
  /** Fires when the connection is over, whoever ended it. */
  readonly signal: AbortSignal;
  #ended = false;
  readonly #waiting = new Set<() => void>();

  constructor(private readonly socket: Socket) {
    const controller = new AbortController();
    this.signal = controller.signal;
    socket.setNoDelay(true);
    socket.on('error', () => undefined); // 'close' follows
    // One listener for good: a new 'readable' listener fires at once where bytes wait, even if they are too few.
    socket.on('readable', () => this.#wake());
    socket.on('end', () => {
      this.#ended = true;
      this.#wake();
    });
    socket.on('close', () => {
      this.#ended = true;
      this.#wake();
      controller.abort(new ConnectionClosed());
    });
  }

  /** Exactly so many bytes. @throws ConnectionClosed */
  async read(length: number): Promise<Buffer> {
    if (length === 0) return Buffer.alloc(0);
    for (;;) {
      const chunk = this.socket.read(length) as Buffer | null;
      if (chunk?.length === length) return chunk;
      if (chunk !== null) throw new ConnectionClosed();
      await this.#readable();
    }
  }

  /** Whatever has come, at least a byte. @throws ConnectionClosed */
  async readSome(): Promise<Buffer> {
    for (;;) {
      const chunk = this.socket.read() as Buffer | null;
      if (chunk !== null) return chunk;
      await this.#readable();
    }
  }

  /** Settles when the bytes are on their way, and there is room for more. @throws ConnectionClosed */
  async write(bytes: Buffer): Promise<void> {
    if (!this.socket.writable) throw new ConnectionClosed();
    if (!this.socket.write(bytes)) await once(this.socket, 'drain', { signal: this.signal });
  }

  /** Reads on, to no use, until the client leaves. @throws ConnectionClosed always */
  async hang(): Promise<never> {
    for (;;) await this.readSome();
  }

  /** Sends what is under way, then closes. */
  end(): void {
    this.socket.end();
    this.socket.resume();
  }

  /** Closes at once. */
  destroy(): void {
    this.socket.destroy();
  }

  async #readable(): Promise<void> {
    if (this.#ended) throw new ConnectionClosed();
    await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
