import { mkdirSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KhError } from '../../../src/core/errors';
import type { Store } from '../../../src/store/layout';
import { withLock } from '../../../src/store/lock';
import { cleanUp, kill, newStore, runInChild, type Child } from './rig';

afterEach(cleanUp);

/** A process that holds the lock "job" until it is killed. */
async function holder(store: Store): Promise<Child> {
  const child = runInChild(
    store,
    `await kh('lock').withLock(store, 'job', () => { say('held'); return new Promise(() => setInterval(() => undefined, 1000)); });`,
  );
  expect(await child.line()).toBe('held');
  return child;
}

describe('withLock', () => {
  it('gives what the work gives, and leaves nothing on disk', async () => {
    const store = await newStore();
    expect(await withLock(store, 'job', async () => 42)).toBe(42);
    expect([readdirSync(store.locks), readdirSync(store.tmp)]).toEqual([[], []]);
  });

  it('is given back when the work fails', async () => {
    const store = await newStore();
    const failure = new Error('no luck');
    await expect(withLock(store, 'job', () => Promise.reject(failure))).rejects.toBe(failure);
    expect(await withLock(store, 'job', async () => 'free')).toBe('free');
  });

  it('lets one in at a time within a process', async () => {
    const store = await newStore();
    let inside = 0;
    const most = await Promise.all(
      Array.from({ length: 8 }, () =>
        withLock(store, 'job', async () => {
          inside += 1;
          const seen = inside;
          await new Promise((resolve) => setTimeout(resolve, 2));
          inside -= 1;
          return seen;
        }),
      ),
    );
    expect(most).toEqual(Array(8).fill(1));
  });

  it('lets one in at a time among processes, so that no count is lost', async () => {
    const store = await newStore();
    const counter = join(store.home, 'counter');
    writeFileSync(counter, '0');
    const children = [1, 2, 3, 4].map(() =>
      runInChild(
        store,
        `const fs = require('node:fs/promises');
         for (let i = 0; i < 25; i++) await kh('lock').withLock(store, 'job', async () => {
           const count = Number(await fs.readFile(${JSON.stringify(counter)}, 'utf8'));
           await fs.writeFile(${JSON.stringify(counter)}, String(count + 1));
         });`,
      ),
    );
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0, 0, 0]);
    expect(readFileSync(counter, 'utf8')).toBe('100');
    expect([readdirSync(store.locks), readdirSync(store.tmp)]).toEqual([[], []]);
  }, 30_000);

  it('keeps different names apart', async () => {
    const store = await newStore();
    expect(await withLock(store, 'one', () => withLock(store, 'other', async () => 'both'))).toBe('both');
  });

  it('names the holder when the wait is over', async () => {
    const store = await newStore();
    const child = await holder(store);
    const waited = jest.fn();
    const attempt = withLock(store, 'job', async () => 'in', { wait: 30, onWait: waited });
    await expect(attempt).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining(`process ${child.process.pid}`) as string,
    });
    expect(waited).toHaveBeenCalledTimes(1);
    expect(readdirSync(store.tmp)).toEqual([]);
  });

  it('ends the wait when the signal fires, with its reason', async () => {
    const store = await newStore();
    await holder(store);
    const controller = new AbortController();
    const reason = new KhError('INTERRUPTED', { message: 'stopped' });
    const attempt = withLock(store, 'job', async () => 'in', {
      signal: controller.signal,
      onWait: () => controller.abort(reason),
    });
    await expect(attempt).rejects.toBe(reason);
  });

  it('is free again once its holder was killed, for one of those who wait at a time', async () => {
    const store = await newStore();
    const child = await holder(store);
    let inside = 0;
    const waiting = Array.from({ length: 5 }, () =>
      withLock(store, 'job', async () => {
        inside += 1;
        const seen = inside;
        await new Promise((resolve) => setTimeout(resolve, 2));
        inside -= 1;
        return seen;
      }),
    );
    await kill(child.process);
    expect(await Promise.all(waiting)).toEqual([1, 1, 1, 1, 1]);
  });

  it('judges a holder on another host by its heartbeat', async () => {
    const store = await newStore();
    const folder = join(store.locks, 'job');
    const file = join(folder, 'other-host~0123456789~1~1~1~ff');
    mkdirSync(folder);
    writeFileSync(file, '');
    await expect(withLock(store, 'job', async () => 'in', { wait: 20 })).rejects.toMatchObject({
      message: expect.stringContaining('on host other-host') as string,
    });
    const longAgo = new Date(Date.now() - 3600_000);
    utimesSync(file, longAgo, longAgo);
    expect(await withLock(store, 'job', async () => 'in', { wait: 20 })).toBe('in');
  });
});
