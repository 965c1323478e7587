import { distance } from 'fastest-levenshtein';

const MOST = 3;

/**
 * The names most like a mistyped one, best first; none when all are far off.
 * Leading underscores do not count: printk is `_printk` since 5.15.
 */
export function nearNames(name: string, candidates: Iterable<string>): string[] {
  const wanted = bare(name);
  const farthest = Math.min(3, Math.max(1, Math.floor(wanted.length / 3)));
  return [...candidates]
    .filter((other) => Math.abs(bare(other).length - wanted.length) <= farthest)
    .map((other) => ({ other, steps: distance(wanted, bare(other)) }))
    .filter(({ steps }) => steps <= farthest)
    .sort((one, two) => one.steps - two.steps || (one.other < two.other ? -1 : 1))
    .slice(0, MOST)
    .map(({ other }) => other);
}

function bare(name: string): string {
  return name.replace(/^_+/, '');
}
