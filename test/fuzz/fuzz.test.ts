import fc from 'fast-check';
import { keepInput } from '../support/fuzz/corpus';
import { FUZZ_TARGETS } from '../support/fuzz/targets';

/** For all targets together. */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 60);
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const ONLY = process.env['FUZZ_TARGET'];
const TARGETS = FUZZ_TARGETS.filter(({ name }) => ONLY === undefined || name === ONLY);

/** Within its share of the time; a target that hangs fails by jest's own limit. */
const SHARE = (SECONDS * 1000) / TARGETS.length;

describe(`any bytes at all (FUZZ_SEED=${SEED})`, () => {
  it.each(TARGETS)(
    'are read, or refused in words: $name',
    async ({ name, inputs, check }) => {
      let runs = 0;
      const property = fc.asyncProperty(await inputs(), async (bytes) => {
        runs += 1;
        await check(bytes);
      });
      const result = await fc.check(property, {
        seed: SEED,
        numRuns: Number.MAX_SAFE_INTEGER,
        interruptAfterTimeLimit: SHARE,
        endOnFailure: false,
      });
      const [smallest] = result.counterexample ?? [];
      if (smallest !== undefined) {
        const kept = await keepInput(name, smallest, SEED);
        throw new Error(`after ${runs} inputs; the smallest that fails is kept: ${kept}`, {
          cause: result.errorInstance,
        });
      }
      process.stdout.write(`  ${name}: ${runs} inputs\n`);
      expect(runs).toBeGreaterThan(0);
    },
    SHARE * 2 + 60_000,
  );
});
