import { concurrently } from '../../../src/app/concurrently';

describe('concurrently', () => {
  it('gives the results in the order of the items, whichever ends first', async () => {
    const results = await concurrently([30, 1, 10], 3, async (milliseconds) => {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      return milliseconds;
    });
    expect(results).toEqual([30, 1, 10]);
  });

  it('never has more at work than it was told', async () => {
    let now = 0;
    let most = 0;
    await concurrently([...Array(20).keys()], 3, async () => {
      most = Math.max(most, (now += 1));
      await new Promise(setImmediate);
      now -= 1;
    });
    expect(most).toBe(3);
  });

  it('has nothing to do for no items', async () => {
    await expect(concurrently([], 4, () => Promise.reject(new Error('called')))).resolves.toEqual([]);
  });
});
