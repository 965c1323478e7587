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

  constructor(private readonly socket: Socket) {
    const controller = new AbortController();
    this.signal = controller.signal;
    socket.setNoDelay(true);
    socket.on('error', () => undefined); // 'close' follows
    socket.on('end', () => (this.#ended = true));
    socket.on('close', () => {
      this.#ended = true;
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
    if (!this.socket.write(bytes)) await this.#once('drain');
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
    if (this.#ended || this.socket.destroyed) throw new ConnectionClosed();
    await this.#once('readable');
  }

  #once(event: 'readable' | 'drain'): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        for (const name of events) this.socket.off(name, settle);
        if (this.socket.destroyed) reject(new ConnectionClosed());
        else resolve();
      };
      const events = [event, 'end', 'close'] as const;
      for (const name of events) this.socket.on(name, settle);
    });
  }
}
