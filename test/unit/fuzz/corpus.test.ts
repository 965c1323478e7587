import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { corpusOf } from '../../support/fuzz/corpus';
import { FUZZ_TARGETS } from '../../support/fuzz/targets';

/** What `npm run fuzz` found, or what is worth trying each time: fixtures/fuzz. */
describe('inputs that once failed', () => {
  it.each(FUZZ_TARGETS)('are read, or refused in words: $name', async ({ name, check }) => {
    const corpus = await corpusOf(name);
    expect(corpus.length).toBeGreaterThan(0);
    for (const { name: file, bytes } of corpus) {
      await check(bytes).catch((cause: unknown) => {
        throw new Error(`${file} fails`, { cause });
      });
    }
  });

  it('are all of a target that there is', () => {
    const folders = readdirSync(resolve(__dirname, '../../../fixtures/fuzz'));
    expect(folders.sort()).toEqual(FUZZ_TARGETS.map(({ name }) => name).sort());
  });
});
