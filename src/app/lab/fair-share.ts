export interface Share<T> {
  /** How many items at a time, all in all. */
  jobs: number;
  /** Which items compete for the same thing: the adb server that they go through. */
  groupOf: (item: T) => string;
  /** How many items of this one's group at a time, where that is fewer. */
  mostOf: (item: T) => number | undefined;
}

/**
 * Runs `work` over `items`, at most `jobs` at a time, and always on the next
 * item of the group that has the fewest at work: several hosts share the load
 * from the start, however their devices are listed.
 *
 * @returns the results in the order of the items
 */
export async function fairShare<T, R>(
  items: readonly T[],
  share: Share<T>,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  const groups = groupItems(items, share);
  // One that finds every group full ends for good: whoever makes room there takes the next item himself.
  const worker = async () => {
    for (let group = leastBusy(groups); group !== undefined; group = leastBusy(groups)) {
      const [index, item] = group.waiting.shift() as [number, T];
      group.busy += 1;
      try {
        results[index] = await work(item);
      } finally {
        group.busy -= 1;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(share.jobs, items.length) }, worker));
  return results;
}

interface Group<T> {
  waiting: [number, T][];
  busy: number;
  most: number;
}

function groupItems<T>(items: readonly T[], { groupOf, mostOf }: Share<T>): Group<T>[] {
  const groups = new Map<string, Group<T>>();
  for (const [index, item] of items.entries()) {
    const key = groupOf(item);
    const group = groups.get(key) ?? { waiting: [], busy: 0, most: mostOf(item) ?? Infinity };
    group.waiting.push([index, item]);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function leastBusy<T>(groups: Group<T>[]): Group<T> | undefined {
  const open = groups.filter(({ waiting, busy, most }) => waiting.length > 0 && busy < most);
  return open.reduce<Group<T> | undefined>(
    (least, group) => (least === undefined || group.busy < least.busy ? group : least),
    undefined,
  );
}
