import type { Socket } from 'node:net';
import { timeoutError } from '../core/abort';
import { TIME_LIMITS } from '../core/limits';
import type { CallOptions } from './adb-device';

/** The other side hung up, or the connection broke. Whoever asked knows what that means, and says so. */
export class ConnectionLost extends Error {}

/**
 * One connection to the adb server: an exact reader and a writer with back
 * pressure, under the two clocks of a call. A connection carries one request,
 * so its end is the end of the call: `using` closes it.
 *
 * What breaks a read or a write, and every one after it: the signal (with its
 * reason), a clock (KhError TIMEOUT), or `ConnectionLost`.
 */
export class AdbSocket {
  /** Milliseconds that the other side may stay silent while it is waited for; Infinity for no limit. */
  stallTimeout: number;
  #failure: { reason: unknown } | undefined;
  #ended = false;
  #closed = false;
  #wake = (): void => undefined;
  readonly #socket: Socket;
  readonly #release: () => void;

  constructor(
    socket: Socket,
    options: CallOptions,
    private readonly what: string,
  ) {
    const { signal, timeout } = options;
    this.#socket = socket;
    this.stallTimeout = options.stallTimeout ?? TIME_LIMITS.stall;
    socket.on('readable', () => this.#wake());
    socket.on('drain', () => this.#wake());
    socket.on('end', () => {
      this.#ended = true;
      this.#wake();
    });
    socket.on('error', (cause) => this.fail(new ConnectionLost(cause.message, { cause })));
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
    const onAbort = () => this.fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const clock =
      timeout === undefined ? undefined : setTimeout(() => this.fail(timeoutError(what, timeout)), timeout);
    this.#release = () => {
      clearTimeout(clock);
      signal.removeEventListener('abort', onAbort);
    };
  }

  /** Reads exactly `length` bytes. */
  async read(length: number): Promise<Buffer> {
    if (length === 0) return Buffer.alloc(0);
    for (;;) {
      const chunk = this.#take(length);
      if (chunk?.length === length) return chunk;
      if (chunk !== undefined || this.#ended || this.#closed) {
        throw new ConnectionLost(`the connection ended ${length - (chunk?.length ?? 0)} bytes short`);
      }
      await this.#change();
    }
  }

  /** Reads what there is, at least a byte; undefined at the end. */
  async readSome(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.#take();
      if (chunk !== undefined) return chunk;
      if (this.#ended) return undefined;
      if (this.#closed) throw new ConnectionLost('the connection was closed');
      await this.#change();
    }
  }

  /** Writes, and waits where the other side does not keep up. */
  async write(data: Buffer): Promise<void> {
    this.#throwFailure();
    this.#socket.write(data);
    while (this.#socket.writableNeedDrain && !this.#closed) {
      await this.#change();
      this.#throwFailure();
    }
  }

  /** Writes a goodbye that nobody waits for; does nothing where the connection is over. */
  sayLast(data: Buffer): void {
    if (this.#failure === undefined && this.#socket.writable) this.#socket.write(data);
  }

  /** Breaks the connection at once; all reads and writes reject with `reason`. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    // With an error, so that adbkit's wait for the connection ends too: it does not look at 'close'.
    this.#socket.destroy(new Error('connection given up'));
    this.#wake();
  }

  /** Closes: at once after a failure, else after what was written has left. */
  [Symbol.dispose](): void {
    this.#release();
    if (this.#failure === undefined) this.#socket.destroySoon();
    else this.#socket.destroy();
  }

  /** Settles when `connecting` does; rejects with what broke the connection. */
  async connected(connecting: PromiseLike<unknown>): Promise<void> {
    const timer = this.#stallTimer();
    try {
      await connecting;
    } catch (error) {
      this.#throwFailure();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #take(length?: number): Buffer | undefined {
    this.#throwFailure();
    return (this.#socket.read(length) as Buffer | null) ?? undefined;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.reason;
  }

  /**
   * Waits for something to happen on the socket. Only this time counts as
   * silence: a slow consumer on our side must not look like a hung device.
   */
  async #change(): Promise<void> {
    const timer = this.#stallTimer();
    try {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #stallTimer(): NodeJS.Timeout | undefined {
    const { stallTimeout } = this;
    if (!Number.isFinite(stallTimeout)) return undefined;
    return setTimeout(() => this.fail(timeoutError(this.what, stallTimeout)), stallTimeout);
  }
}
