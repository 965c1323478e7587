import { PassThrough, Writable } from 'node:stream';
import { boundedStream } from '../../../src/cli/bounded-stream';

const NOBODY = { onGone: () => undefined, onError: () => undefined };

/** A stream whose reader has stopped reading. */
function stuck(): Writable {
  return new Writable({ write: () => undefined });
}

describe('a bounded stream', () => {
  it('keeps no more than a megabyte for a reader that has stopped', () => {
    const stream = stuck();
    const bounded = boundedStream(stream, NOBODY);
    for (let line = 0; line < 100; line += 1) bounded.write('x'.repeat(100_000));
    expect(bounded.hasRoom()).toBe(false);
    expect(stream.writableLength).toBeLessThan(2 * 2 ** 20);
  });

  it('takes text again when it has been read', async () => {
    const stream = new PassThrough({ highWaterMark: 1 });
    const bounded = boundedStream(stream, NOBODY);
    for (let line = 0; line < 20; line += 1) bounded.write('x'.repeat(100_000));
    expect(bounded.hasRoom()).toBe(false);
    stream.resume();
    await new Promise(setImmediate);
    expect(bounded.hasRoom()).toBe(true);
  });

  it('waits only a moment for a reader, at the end', async () => {
    const bounded = boundedStream(stuck(), NOBODY);
    bounded.write('a line\n');
    expect(await bounded.close()).toBe(false);
    const read = boundedStream(new PassThrough().resume(), NOBODY);
    read.write('a line\n');
    expect(await read.close()).toBe(true);
  });

  it('tells a reader that has gone from a disk that is full, once', async () => {
    const told: string[] = [];
    const listeners = {
      onGone: () => told.push('gone'),
      onError: (error: unknown) => told.push((error as NodeJS.ErrnoException).code ?? ''),
    };
    for (const code of ['EPIPE', 'ENOSPC']) {
      const stream = new PassThrough();
      const bounded = boundedStream(stream, listeners);
      stream.emit('error', Object.assign(new Error(code), { code }));
      stream.emit('error', Object.assign(new Error(code), { code }));
      expect(bounded.hasRoom()).toBe(false);
    }
    expect(told).toEqual(['gone', 'ENOSPC']);
  });
});
