/** Random numbers that can be had again: the seed is in the failure of the test that used them. */
export interface Random {
  readonly seed: number;
  /** From 0 up to, but not including, 1. */
  next: () => number;
}

/** @param seed `KH_SEED` of the environment, or the present time, when left out */
export function random(seed = Number(process.env['KH_SEED'] ?? Date.now() % 2 ** 32)): Random {
  let state = seed >>> 0;
  return {
    seed,
    /** Mulberry32: every step of a counter, stirred. */
    next: () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let stirred = Math.imul(state ^ (state >>> 15), state | 1);
      stirred ^= stirred + Math.imul(stirred ^ (stirred >>> 7), stirred | 61);
      return ((stirred ^ (stirred >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}
