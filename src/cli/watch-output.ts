import type { Tell, WatchEvent } from '../app/watch/watch-events';
import { printable, printableJson } from '../core/printable';
import type { Palette } from '../ui/colour';
import type { BoundedStream } from './bounded-stream';
import { watchLine } from './text/watch';

/** A line of `kh watch --json`. */
export type WatchLine = {
  /** ISO 8601, in UTC. */
  time: string;
  /** Rises with each event that is told, also where the clock is set back. */
  sequence: number;
} & WatchEvent;

export interface WatchOutputOptions {
  /** Takes a line for each event. */
  out: BoundedStream;
  /** Takes what commands of --exec write. */
  err: BoundedStream;
  json: boolean;
  /** Say nothing on `err`. */
  quiet: boolean;
  colours: Palette;
  now: () => Date;
}

/** Writes a watch's events, a line each; those that nobody reads fast enough are counted and left out. */
export function watchOutput({ out, err, json, quiet, colours, now }: WatchOutputOptions): {
  tell: Tell;
  onOutput: (name: string, line: string) => void;
} {
  let sequence = 0;
  let dropped = 0;
  let several = false;
  const write = (event: WatchEvent) => {
    sequence += 1;
    if (event.type === 'watch.started') several = event.servers.length > 1;
    const time = now().toISOString();
    if (json) {
      const object: WatchLine = { time, sequence, ...event };
      out.write(`${printableJson(JSON.stringify(object))}\n`);
      return;
    }
    const line = watchLine(event, { colours, several });
    if (line !== undefined) out.write(`${colours.dim(`${time.slice(0, 19)}Z`)} ${line}\n`);
  };
  return {
    tell: (event) => {
      if (!out.hasRoom()) {
        dropped += 1;
        return;
      }
      if (dropped > 0) write({ type: 'events.dropped', count: dropped });
      dropped = 0;
      write(event);
    },
    onOutput: (name, line) => {
      if (!quiet) err.write(`${colours.dim(`${printable(name)}:`)} ${printable(line)}\n`);
    },
  };
}
