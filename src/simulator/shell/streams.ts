import { EventEmitter, once } from 'node:events';

export interface ShellOutput {
  /** Settles when the reader has room for more. */
  write(bytes: Buffer): Promise<void>;
}

/** Nothing that is written here is seen. */
export const NOWHERE: ShellOutput = { write: () => Promise.resolve() };

/** More than any script of ours collects: one that does is endless. */
const MOST_COLLECTED = 64 * 2 ** 20;

/** Gathers what is written. */
export class CollectedOutput implements ShellOutput {
  readonly #chunks: Buffer[] = [];
  #length = 0;

  write(bytes: Buffer): Promise<void> {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    return this.#length > MOST_COLLECTED
      ? Promise.reject(new RangeError('a command on a simulated device prints without end'))
      : Promise.resolve();
  }

  get bytes(): Buffer {
    return this.#chunks.length === 1 && this.#chunks[0] ? this.#chunks[0] : Buffer.concat(this.#chunks);
  }
}

const MOST_CHUNKS = 64;
const NEW_LINE = 10;

/** What commands read: filled by a client, a pipe or a file. */
export class ShellInput {
  readonly #chunks: Buffer[] = [];
  readonly #events = new EventEmitter();
  #ended = false;

  static of(bytes: Buffer): ShellInput {
    const input = new ShellInput();
    if (bytes.length > 0) input.#chunks.push(bytes);
    input.#ended = true;
    return input;
  }

  async push(bytes: Buffer): Promise<void> {
    this.#chunks.push(bytes);
    this.#events.emit('changed');
    while (this.#chunks.length > MOST_CHUNKS) await once(this.#events, 'changed');
  }

  end(): void {
    this.#ended = true;
    this.#events.emit('changed');
  }

  /** @returns undefined at the end */
  async readSome(signal: AbortSignal): Promise<Buffer | undefined> {
    while (this.#chunks.length === 0) {
      if (this.#ended) return undefined;
      await once(this.#events, 'changed', { signal });
    }
    const chunk = this.#chunks.shift();
    this.#events.emit('changed');
    return chunk;
  }

  async readAll(signal: AbortSignal): Promise<Buffer> {
    const output = new CollectedOutput();
    for (let chunk = await this.readSome(signal); chunk; chunk = await this.readSome(signal)) {
      await output.write(chunk);
    }
    return output.bytes;
  }

  /** A line without its end; what follows stays for the next reader. @returns undefined at the end */
  async readLine(signal: AbortSignal): Promise<{ text: string; complete: boolean } | undefined> {
    const parts: Buffer[] = [];
    for (let chunk = await this.readSome(signal); chunk; chunk = await this.readSome(signal)) {
      const end = chunk.indexOf(NEW_LINE);
      if (end < 0) {
        parts.push(chunk);
        continue;
      }
      parts.push(chunk.subarray(0, end));
      if (end + 1 < chunk.length) this.#chunks.unshift(chunk.subarray(end + 1));
      return { text: Buffer.concat(parts).toString('utf8'), complete: true };
    }
    return parts.length === 0 ? undefined : { text: Buffer.concat(parts).toString('utf8'), complete: false };
  }
}
