import fc from 'fast-check';
import { fairShare, type Share } from '../../../../src/app/lab/fair-share';

const byLetter = (jobs: number, most: Record<string, number> = {}): Share<string> => ({
  jobs,
  groupOf: (item) => item.charAt(0),
  mostOf: (item) => most[item.charAt(0)],
});

/** In which order the items began, and how many of all and of each group were at work at most. */
async function watch(items: string[], share: Share<string>) {
  const begun: string[] = [];
  const now = new Map<string, number>();
  const most = new Map<string, number>();
  const count = (key: string, change: number) => {
    now.set(key, (now.get(key) ?? 0) + change);
    most.set(key, Math.max(most.get(key) ?? 0, now.get(key) ?? 0));
  };
  const results = await fairShare(items, share, async (item) => {
    begun.push(item);
    for (const key of ['all', item.charAt(0)]) count(key, 1);
    await new Promise(setImmediate);
    for (const key of ['all', item.charAt(0)]) count(key, -1);
    return item.toUpperCase();
  });
  return { begun, most, results };
}

describe('fairShare', () => {
  it('begins on every group, however the items are listed', async () => {
    const { begun, results } = await watch(['a1', 'a2', 'a3', 'b1', 'c1'], byLetter(3));
    expect(begun.slice(0, 3)).toEqual(['a1', 'b1', 'c1']);
    expect(results).toEqual(['A1', 'A2', 'A3', 'B1', 'C1']);
  });

  it('has no more of a group at work than it may, and fills up with the others', async () => {
    const items = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'b3', 'b4'];
    const { most } = await watch(items, byLetter(4, { a: 1 }));
    expect(most.get('a')).toBe(1);
    expect(most.get('b')).toBe(3);
  });

  it('rejects with what the work rejects with', async () => {
    const work = (item: string) => Promise.reject(new Error(`no ${item}`));
    await expect(fairShare(['a'], byLetter(2), work)).rejects.toThrow('no a');
  });

  it('does every item once, within all bounds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.record({ a: fc.integer({ min: 1, max: 3 }), b: fc.integer({ min: 1, max: 3 }) }),
        async (letters, jobs, limits) => {
          const items = letters.map((letter, index) => `${letter}${index}`);
          const { begun, most, results } = await watch(items, byLetter(jobs, limits));
          expect(results).toEqual(items.map((item) => item.toUpperCase()));
          expect(begun.toSorted()).toEqual(items.toSorted());
          expect(most.get('all') ?? 0).toBeLessThanOrEqual(jobs);
          expect(most.get('a') ?? 0).toBeLessThanOrEqual(limits.a);
          expect(most.get('b') ?? 0).toBeLessThanOrEqual(limits.b);
        },
      ),
      { numRuns: 60 },
    );
  });
});
