/** A workspace that was found ready: the device's name in the store, and what tells its boot and archive. */
export interface Readiness {
  device: string;
  mark: string;
}

/** Remembers, for each place where a device is, what was last ready there. */
export interface ReadyPlaces {
  /** @returns whether it is news: another boot, another archive, or the device had been gone */
  note(key: string, ready: Readiness): boolean;
  /** The device has gone: what is ready when it comes back is news. */
  gone(key: string): void;
  forget(key: string): void;
  /** The command of --exec was done for what is ready there. */
  done(key: string, mark: string): void;
  /** Whether the command was done for this, at whichever place: a phone may be there twice. */
  isDone(ready: Readiness): boolean;
}

export function createReadyPlaces(): ReadyPlaces {
  const places = new Map<string, Readiness & { isTold: boolean; isDone: boolean }>();
  return {
    note: (key, ready) => {
      const before = places.get(key);
      const isSame = before?.mark === ready.mark && before.device === ready.device;
      const isNews = !isSame || !before.isTold;
      places.set(key, { ...ready, isTold: true, isDone: isSame && before.isDone });
      return isNews;
    },
    gone: (key) => {
      const before = places.get(key);
      if (before !== undefined) before.isTold = false;
    },
    forget: (key) => void places.delete(key),
    done: (key, mark) => {
      const ready = places.get(key);
      if (ready?.mark === mark) ready.isDone = true;
    },
    isDone: ({ device, mark }) =>
      [...places.values()].some((place) => place.isDone && place.device === device && place.mark === mark),
  };
}
