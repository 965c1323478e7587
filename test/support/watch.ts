import type { WatchLine } from '../../src/cli/watch-output';
import { startKh, type KhOptions, type KhProcess } from './kh';
import { schemaErrors } from './schemas';

export interface RunningWatch {
  process: KhProcess;
  /** All events so far, in order. @throws Error for a line that is not as its schema says */
  events(): WatchLine[];
  /** Settles with the `count`th event of a type (of a device), be it already; rejects when kh ends first. */
  until<T extends WatchLine['type']>(
    type: T,
    about?: { serial?: string; count?: number },
  ): Promise<Extract<WatchLine, { type: T }>>;
  /** Ends it as a service manager does. */
  stop(): Promise<KhProcess extends { ended: infer E } ? Awaited<E> : never>;
}

/** The events that a watch has written, each held against its schema. */
export function eventsOf(stdout: string): WatchLine[] {
  const lines = stdout.split('\n').slice(0, -1);
  const events = lines.map((line) => JSON.parse(line) as WatchLine);
  const errors = events.flatMap((event) =>
    schemaErrors('watch', event).map((error) => `${event.type}: ${error}`),
  );
  if (errors.length > 0) throw new Error(errors.join('\n'));
  return events;
}

/**
 * Starts `kh watch --json`. It finds no adb: where a simulated server is away
 * for a while, a real one in its place would not do.
 */
export async function startWatch(args: readonly string[], options: KhOptions): Promise<RunningWatch> {
  const env = { PATH: '/nowhere', ...options.env };
  const process = await startKh(['watch', '--json', ...args], { timeoutMs: 90_000, ...options, env });
  const events = () => eventsOf(process.stdout());
  return {
    process,
    events,
    until: async (type, { serial, count = 1 } = {}) => {
      const found = () =>
        events().filter(
          (event) =>
            event.type === type && (serial === undefined || ('serial' in event && event.serial === serial)),
        );
      await process.untilStdout(() => found().length >= count);
      return found()[count - 1] as Extract<WatchLine, { type: typeof type }>;
    },
    stop: () => {
      process.send('SIGTERM');
      return process.ended;
    },
  };
}
