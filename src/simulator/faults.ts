/** Where a fault strikes: a kind of service, or a question to the device. */
export const FAULT_POINTS = [
  'connect',
  'features',
  'root',
  'shell',
  'exec',
  'stat',
  'recv',
  'md5',
  'any',
] as const;

export type FaultPoint = (typeof FAULT_POINTS)[number];

/** What becomes of the device, as the adb server sees it. */
export const STATE_FAULTS = ['unauthorized', 'offline', 'gone'] as const;

/** What goes wrong on the wire between device and client, at a byte of a service's answer. */
export const WIRE_FAULTS = ['hang', 'close', 'dribble', 'garbage', 'wrong-length', ...STATE_FAULTS] as const;

/** What goes wrong in the answer itself, on a wire that works. */
export const CONTENT_FAULTS = ['refuse', 'fail', 'wrong-size', 'wrong-md5', 'corrupt'] as const;

export type StateFaultKind = (typeof STATE_FAULTS)[number];
export type WireFaultKind = (typeof WIRE_FAULTS)[number];
export type FaultKind = WireFaultKind | (typeof CONTENT_FAULTS)[number];

/** docs/simulator.md tells what each kind does at each point. */
export interface FaultDescription<Kind extends FaultKind = FaultKind> {
  on: FaultPoint;
  kind: Kind;
  /** The byte at which it strikes: of the answer on the wire, or of the content (corrupt, fail, wrong-size). */
  at?: number;
  /** Strikes only where the path or the command line holds this text. */
  match?: string;
  /** Lets the first ones pass. */
  skip?: number;
  /** How often it strikes; always, when left out. */
  times?: number;
  /** offline, unauthorized, gone: after so many milliseconds the device is back. */
  forMs?: number;
}

/** The faults of one device, used up as they strike. */
export class FaultList {
  #faults: { fault: FaultDescription; toSkip: number; left: number }[] = [];

  constructor(faults: readonly FaultDescription[] = []) {
    for (const fault of faults) this.add(fault);
  }

  /** @returns how to take it away again */
  add(fault: FaultDescription): () => void {
    const entry = { fault, toSkip: fault.skip ?? 0, left: fault.times ?? Infinity };
    this.#faults.push(entry);
    return () => {
      this.#faults = this.#faults.filter((other) => other !== entry);
    };
  }

  clear(): void {
    this.#faults = [];
  }

  /** The first fault of these kinds that strikes now; it counts as one of its `times`. */
  strike<Kind extends FaultKind>(
    point: FaultPoint,
    kinds: readonly Kind[],
    subject = '',
  ): FaultDescription<Kind> | undefined {
    const wanted = (fault: FaultDescription): fault is FaultDescription<Kind> =>
      (fault.on === point || fault.on === 'any') && (kinds as readonly FaultKind[]).includes(fault.kind);
    for (const entry of this.#faults) {
      const { fault } = entry;
      if (!wanted(fault) || !subject.includes(fault.match ?? '') || entry.left === 0) continue;
      if (entry.toSkip > 0) {
        entry.toSkip -= 1;
        continue;
      }
      entry.left -= 1;
      return fault;
    }
    return undefined;
  }
}
