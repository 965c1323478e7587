import type { Emit } from '../core/events';

/** Reads the events of a run and shows them on stderr, each reporter for its own audience. */
export interface Reporter {
  emit: Emit;
  /** Shows what is still to be shown and leaves the terminal as it was. Safe to call twice. */
  close: () => Promise<void>;
}

/** Where a reporter writes: stderr, or a test's ear. */
export type Write = (text: string) => void;
