import { distance } from 'fastest-levenshtein';

/**
 * The known word that was most likely meant: the nearest one, if no more than
 * about a third of its letters differ.
 */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  const near = known
    .map((candidate) => ({ candidate, away: distance(word, candidate) }))
    .filter(({ candidate, away }) => away <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.away - b.away);
  return near[0]?.candidate;
}
