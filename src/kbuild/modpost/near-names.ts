import { distance } from 'fastest-levenshtein';

const MOST = 3;

/** The names most like a mistyped one, best first; none when all are far off. */
export function nearNames(name: string, candidates: Iterable<string>): string[] {
  const farthest = Math.min(3, Math.max(1, Math.floor(name.length / 3)));
  return [...candidates]
    .filter((other) => Math.abs(other.length - name.length) <= farthest)
    .map((other) => ({ other, steps: distance(name, other) }))
    .filter(({ steps }) => steps <= farthest)
    .sort((one, two) => one.steps - two.steps || (one.other < two.other ? -1 : 1))
    .slice(0, MOST)
    .map(({ other }) => other);
}
