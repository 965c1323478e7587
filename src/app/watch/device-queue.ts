/** Runs what is asked for, one thing at a time for each device, and at most `jobs` at once. */
export interface DeviceQueue<T> {
  /** What waits for the same device already makes room for the newer. */
  add(device: string, item: T): void;
  /** Whether something runs or waits for this device that `matches`. */
  has(device: string, matches: (item: T) => boolean): boolean;
  /** Nothing that waits will be begun. */
  clear(): void;
  /** Whether nothing runs and nothing waits. */
  idle(): boolean;
  /** Settles when nothing runs any more. */
  finished(): Promise<void>;
}

/** @param run must not reject */
export function createDeviceQueue<T>(
  jobs: number,
  run: (item: T) => Promise<void>,
  afterEach: () => void,
): DeviceQueue<T> {
  const waiting = new Map<string, T>();
  const running = new Map<string, { item: T; end: Promise<void> }>();
  const next = () => {
    for (const [device, item] of waiting) {
      if (running.size >= jobs) return;
      if (running.has(device)) continue;
      waiting.delete(device);
      const end = run(item).finally(() => {
        running.delete(device);
        next();
        afterEach();
      });
      running.set(device, { item, end });
    }
  };
  return {
    add: (device, item) => {
      waiting.delete(device);
      waiting.set(device, item);
      next();
    },
    has: (device, matches) =>
      [waiting.get(device), running.get(device)?.item].some((item) => item !== undefined && matches(item)),
    clear: () => waiting.clear(),
    idle: () => running.size === 0 && waiting.size === 0,
    finished: async () => {
      await Promise.all([...running.values()].map(({ end }) => end));
    },
  };
}
