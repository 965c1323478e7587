import { createDeviceQueue } from '../../../../src/app/watch/device-queue';

/** A queue whose work ends when the test says so. */
function rig(jobs: number) {
  const running = new Map<string, () => void>();
  const begun: string[] = [];
  let ends = 0;
  const queue = createDeviceQueue<string>(
    jobs,
    (item) => {
      begun.push(item);
      return new Promise((resolve) => running.set(item, resolve));
    },
    () => (ends += 1),
  );
  const end = async (item: string) => {
    running.get(item)?.();
    await new Promise(setImmediate);
  };
  return { queue, begun, end, ends: () => ends };
}

describe('the queue of commands', () => {
  it('runs one at a time for each device, and so many over all', async () => {
    const { queue, begun, end, ends } = rig(2);
    queue.add('A', 'a1');
    queue.add('A', 'a2');
    queue.add('B', 'b1');
    queue.add('C', 'c1');
    expect(begun).toEqual(['a1', 'b1']);
    await end('b1');
    expect(begun).toEqual(['a1', 'b1', 'c1']);
    await end('a1');
    expect(begun).toEqual(['a1', 'b1', 'c1', 'a2']);
    expect(queue.idle()).toBe(false);
    await end('c1');
    await end('a2');
    expect(queue.idle()).toBe(true);
    expect(ends()).toBe(4);
  });

  it('does no work that something newer for the same device has made void', async () => {
    const { queue, begun, end } = rig(1);
    queue.add('A', 'a1');
    queue.add('A', 'a2');
    queue.add('A', 'a3');
    expect(queue.has('A', (item) => item === 'a1')).toBe(true);
    expect(queue.has('A', (item) => item === 'a2')).toBe(false);
    expect(queue.has('A', (item) => item === 'a3')).toBe(true);
    await end('a1');
    await end('a3');
    expect(begun).toEqual(['a1', 'a3']);
    expect(queue.idle()).toBe(true);
  });

  it('begins nothing more once it is cleared', async () => {
    const { queue, begun, end } = rig(1);
    queue.add('A', 'a1');
    queue.add('B', 'b1');
    queue.clear();
    const finished = queue.finished();
    await end('a1');
    await finished;
    expect(begun).toEqual(['a1']);
  });
});
